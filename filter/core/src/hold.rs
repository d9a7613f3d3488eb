//! Held requests: they wait while the companion is asked for a new access token. Requests with the same refresh token share
//! a call, each waits for a limited time, and their number is limited.

mod edge_refresh;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use edgeward_wire::edge_refresh::MAX_CALLS;

use crate::call::{CallOutcome, HttpCall};
use crate::config::Refresh;
use crate::rejection::Rejection;
use crate::request::{Field, StreamId};
use crate::verdict::{Hold, Outcome, Renewed};

/// Maximum number of requests that a worker holds for one configuration. Envoy's share included, each takes some 16 KiB.
const MAX_HELD: usize = 4096;
/// Maximum number of them for one refresh token. Chosen: more than a browser sends at once.
const MAX_HELD_PER_TOKEN: usize = 256;
/// Time for which a rejected refresh token is not sent again. Chosen: a page's requests come within it.
const REJECTED_FOR: Duration = Duration::from_secs(5);
/// Maximum number of rejected refresh tokens that are stored.
const MAX_REJECTED: usize = 1024;
/// Time after its own timeout at which a call counts as lost by the host.
const LOST_AFTER: Duration = Duration::from_secs(1);
/// Age up to which renewed cookies go with a response. Later, the browser may have newer ones, or those of another user.
/// Cookies that are not set are a lost response, and the companion makes the same ones again.
const RENEWED_COOKIES_MAX_AGE: Duration = Duration::from_secs(5);

/// Number of a call, given by [`HeldRequests`].
pub type CallId = u64;

/// Command for the host.
#[derive(Debug)]
pub enum Command {
    /// Sends a call. Its outcome goes to [`HeldRequests::on_response`].
    Call(CallId, HttpCall),
    /// Decides again on a paused stream.
    Resume(Resume),
}

/// A paused stream on which to decide again.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Stream.
    pub stream: StreamId,
    /// `true` if neither a body nor a tunnel follows the request head.
    pub end_of_stream: bool,
    /// Reason for which the request was held.
    pub rejection: Rejection,
    /// Result of asking the companion.
    pub outcome: Outcome,
}

/// Held requests of one configuration on one worker. Time is counted in ticks of the host's timer, since clocks are set
/// forward and back.
pub struct HeldRequests {
    refresh: Refresh,
    cookie_name: String,
    tick: Duration,
    /// Time since the start.
    elapsed: Duration,
    streams: BTreeMap<StreamId, Stream>,
    held: usize,
    calls: BTreeMap<CallId, Call>,
    calls_by_token: BTreeMap<Arc<[u8]>, CallId>,
    last_call: CallId,
    /// Rejected refresh tokens, and the time until which they are not sent again.
    rejected: BTreeMap<Arc<[u8]>, Duration>,
}

/// A stream that was held.
enum Stream {
    /// It waits for a call.
    Paused { call: CallId, end_of_stream: bool, rejection: Rejection },
    /// Its response is to set renewed cookies, made at this time since the start.
    Renewed { renewed: Arc<Renewed>, at: Duration },
}

struct Call {
    refresh_token: Arc<[u8]>,
    lost_at: Duration,
    streams: Vec<StreamId>,
}

impl HeldRequests {
    /// Starts without requests. `cookie_name` is the name of the refresh-token cookie, `tick` the interval of
    /// [`on_tick`](Self::on_tick).
    #[must_use]
    pub fn new(refresh: Refresh, cookie_name: &str, tick: Duration) -> Self {
        Self {
            refresh,
            cookie_name: cookie_name.to_owned(),
            tick,
            elapsed: Duration::ZERO,
            streams: BTreeMap::new(),
            held: 0,
            calls: BTreeMap::new(),
            calls_by_token: BTreeMap::new(),
            last_call: 0,
            rejected: BTreeMap::new(),
        }
    }

    /// Holds a request, and returns the call to send for it, if none is under way. `fields` are those of its head.
    ///
    /// # Errors
    /// The outcome to resume the request with at once: [`Outcome::SessionOver`] if the companion has just rejected this
    /// token, [`Outcome::Unavailable`] if too many requests are held.
    pub fn hold<'a>(
        &mut self,
        stream: StreamId,
        hold: &Hold,
        end_of_stream: bool,
        fields: impl IntoIterator<Item = Field<'a>>,
    ) -> Result<Option<Command>, Outcome> {
        let token = hold.refresh_token.as_slice();
        if self.rejected.contains_key(token) {
            return Err(Outcome::SessionOver);
        }
        if self.held >= MAX_HELD {
            return Err(Outcome::Unavailable);
        }
        let (id, command) = match self.calls_by_token.get(token) {
            Some(&call) => (call, None),
            None if self.calls.len() >= MAX_CALLS as usize => return Err(Outcome::Unavailable),
            None => {
                let call = self.start_call(token);
                (
                    call,
                    Some(Command::Call(
                        call,
                        edge_refresh::request(&self.refresh, &self.cookie_name, token, fields),
                    )),
                )
            }
        };
        let call = self.calls.get_mut(&id).ok_or(Outcome::Unavailable)?;
        if call.streams.len() >= MAX_HELD_PER_TOKEN {
            return Err(Outcome::Unavailable);
        }
        call.streams.push(stream);
        self.held += 1;
        self.streams.insert(stream, Stream::Paused { call: id, end_of_stream, rejection: hold.rejection });
        Ok(command)
    }

    fn start_call(&mut self, token: &[u8]) -> CallId {
        self.last_call += 1;
        let (id, refresh_token) = (self.last_call, Arc::<[u8]>::from(token));
        let lost_at = self.elapsed + self.refresh.timeout + LOST_AFTER;
        self.calls_by_token.insert(Arc::clone(&refresh_token), id);
        self.calls.insert(id, Call { refresh_token, lost_at, streams: Vec::new() });
        id
    }

    /// Resumes the requests that wait for a call. A late outcome of a lost one is ignored.
    pub fn on_response(&mut self, id: CallId, outcome: &CallOutcome<'_>) -> Vec<Command> {
        self.resume(id, &edge_refresh::read(outcome))
    }

    /// Forgets old rejections, and gives up calls that the host has lost.
    pub fn on_tick(&mut self) -> Vec<Command> {
        self.elapsed += self.tick;
        let elapsed = self.elapsed;
        self.rejected.retain(|_, until| elapsed < *until);
        let lost: Vec<CallId> =
            self.calls.iter().filter(|(_, call)| call.lost_at <= elapsed).map(|(id, _)| *id).collect();
        lost.into_iter().flat_map(|id| self.resume(id, &Outcome::Unavailable)).collect()
    }

    fn resume(&mut self, id: CallId, outcome: &Outcome) -> Vec<Command> {
        let Some(call) = self.calls.remove(&id) else { return Vec::new() };
        self.calls_by_token.remove(&call.refresh_token);
        if *outcome == Outcome::SessionOver && self.rejected.len() < MAX_REJECTED {
            self.rejected.insert(call.refresh_token, self.elapsed + REJECTED_FOR);
        }
        let resumed = call.streams.into_iter().filter_map(|stream| {
            let Some(Stream::Paused { end_of_stream, rejection, .. }) = self.streams.remove(&stream) else {
                return None;
            };
            self.held -= 1;
            if let Outcome::Renewed(renewed) = outcome {
                self.streams
                    .insert(stream, Stream::Renewed { renewed: Arc::clone(renewed), at: self.elapsed });
            }
            Some(Command::Resume(Resume { stream, end_of_stream, rejection, outcome: outcome.clone() }))
        });
        resumed.collect()
    }

    /// Returns the tokens that the response of a stream is to set as cookies.
    ///
    /// A stream that gets a response is not resumed any more: the host has ended the wait for it.
    pub fn on_response_headers(&mut self, stream: StreamId) -> Option<Arc<Renewed>> {
        match self.remove(stream)? {
            Stream::Renewed { renewed, at } => {
                (self.elapsed.saturating_sub(at) <= RENEWED_COOKIES_MAX_AGE).then_some(renewed)
            }
            Stream::Paused { .. } => None,
        }
    }

    /// `true` if the request of a stream is held, or awaits the response that sets its cookies.
    #[must_use]
    pub fn contains(&self, stream: StreamId) -> bool {
        self.streams.contains_key(&stream)
    }

    /// Drops a stream that has ended. Its call continues, for requests of the session that may come.
    pub fn on_stream_end(&mut self, stream: StreamId) {
        self.remove(stream);
    }

    fn remove(&mut self, stream: StreamId) -> Option<Stream> {
        let removed = self.streams.remove(&stream)?;
        if let Stream::Paused { call, .. } = removed {
            self.held -= 1;
            if let Some(call) = self.calls.get_mut(&call) {
                call.streams.retain(|other| *other != stream);
            }
        }
        Some(removed)
    }

    /// `true` if no stream is held, and none awaits the response that sets its cookies.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }
}

#[cfg(test)]
mod tests;
