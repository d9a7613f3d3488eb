//! Open streams that end with their session: which of them to close, and which sessions to ask the companion about.
//!
//! A request is judged once, when its head arrives. A WebSocket or a download that it opens may last for hours, and
//! nothing judges it again. So a worker follows the streams that were let through: it closes those that the feed
//! revokes, and those whose token has expired and whose session cannot go on.

mod command;
mod recent;
mod session_checks;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::call::CallOutcome;
use crate::claims::Identity;
use crate::edge_state::EdgeState;
use crate::rejection::Rejection;

use self::recent::{Open, Recent};
use self::session_checks::{Continuation, SessionChecks};

pub use self::command::{Command, EndReason};
pub use self::session_checks::{CallId, MAX_CALLS, MAX_RESPONSE_BYTES, SessionCheck};

/// Number of a stream, as the host gives it: proxy-wasm's context ID.
pub type StreamId = u32;

/// Maximum number of lasting streams that are followed. Chosen: with a session of its own each takes some 500 bytes, so
/// that all of them take 32 MiB of a worker; connections are of the same order, and Envoy's own memory of a stream is
/// many times that.
pub const MAX_LASTING: usize = 65_536;

/// Maximum length of a refresh token that is kept, in bytes. A stream with a longer one is treated as one without. Chosen:
/// the companion issues shorter ones only, and 65,536 of the longest take 64 MiB.
pub const MAX_REFRESH_TOKEN_BYTES: usize = edgeward_wire::access_token::MAX_ISSUED_BYTES;

/// Minimum number of seconds between two log lines about streams that are not followed.
const UNFOLLOWED_LOG_INTERVAL_S: u64 = 60;

/// Streams of one worker that end with their session.
///
/// A short request costs one slot written and one cleared: [`Recent`] holds the latest streams, and those that are still
/// open when their slot is needed move to the lasting ones. Nothing is judged until the revocations change or a token
/// expires.
pub struct OpenStreams {
    recent: Recent,
    lasting: BTreeMap<StreamId, Lasting>,
    checks: SessionChecks,
    /// `true` if the companion can be asked about sessions.
    refresh_enabled: bool,
    /// Revision of the revocations that all streams were judged by.
    revision: u64,
    /// Earliest expiry of a token, without the tolerance for clocks. Streams that have ended may have had it.
    earliest_expiry: u64,
    /// Earliest time at which a stream is due whose token has expired.
    earliest_due: u64,
    /// Number of streams not followed since the last command.
    unfollowed: u64,
    /// Time from which on the next line about them may be logged.
    unfollowed_log_at: u64,
}

/// Stream that outlasted its slot.
struct Lasting {
    identity: Identity,
    /// Key of its session in [`SessionChecks`].
    refresh_token: Option<Arc<[u8]>>,
}

/// Decision about one stream.
enum Judgement {
    Close(EndReason),
    /// The stream stays, and is due again at a time in seconds since 1970.
    StayUntil(u64),
    /// The token has expired.
    Expired,
}

impl OpenStreams {
    /// Returns a machine without streams. `refresh_enabled` is `true` if the filter's configuration has a `refresh`
    /// section, so that the companion can be asked.
    #[must_use]
    pub fn new(refresh_enabled: bool) -> Self {
        Self {
            recent: Recent::new(),
            lasting: BTreeMap::new(),
            checks: SessionChecks::default(),
            refresh_enabled,
            revision: 0,
            earliest_expiry: u64::MAX,
            earliest_due: u64::MAX,
            unfollowed: 0,
            unfollowed_log_at: 0,
        }
    }

    /// Follows a stream whose request has passed as this identity. `refresh_token` is the value of the request's refresh
    /// cookie; after a refresh at the edge, the one that was presented. Both are kept as long as the stream is open.
    pub fn opened(&mut self, stream: StreamId, identity: &Identity, refresh_token: Option<&[u8]>) {
        let refresh_token = refresh_token
            .filter(|token| self.refresh_enabled && (1..=MAX_REFRESH_TOKEN_BYTES).contains(&token.len()));
        self.earliest_expiry = self.earliest_expiry.min(identity.expires_at());
        if let Some(open) = self.recent.insert(stream, identity, refresh_token) {
            self.keep(open);
        }
    }

    /// Drops a stream that has ended. One that is not followed is ignored.
    pub fn ended(&mut self, stream: StreamId) {
        if self.recent.remove(stream) || self.lasting.is_empty() {
            return;
        }
        if let Some(lasting) = self.lasting.remove(&stream) {
            self.checks.release(lasting.refresh_token.as_ref());
        }
    }

    /// Returns the commands that are due at `now`, in seconds since 1970. `clock_skew_s` is the time for which an expired
    /// token is still accepted. To be called at every tick of the worker, after the feed's responses were applied.
    ///
    /// All streams are judged if the revocations have changed or a token has expired, otherwise none.
    pub fn on_tick(&mut self, now: u64, clock_skew_s: u64, state: &EdgeState) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.checks.give_up_lost(now) {
            self.earliest_due = now;
        }
        let expired = now >= self.earliest_expiry.saturating_add(clock_skew_s);
        if state.revision() != self.revision || expired || now >= self.earliest_due {
            self.revision = state.revision();
            self.sweep(now, clock_skew_s, state, &mut commands);
        }
        self.checks.send(now, &mut commands);
        if self.unfollowed > 0 {
            let log = now >= self.unfollowed_log_at;
            if log {
                self.unfollowed_log_at = now.saturating_add(UNFOLLOWED_LOG_INTERVAL_S);
            }
            commands.push(Command::CountUnfollowed { streams: std::mem::take(&mut self.unfollowed), log });
        }
        commands
    }

    /// Takes the companion's response to a check, and returns the checks that waited for a call to end. The streams of
    /// the session are judged at the next tick.
    pub fn on_response(&mut self, call: CallId, outcome: &CallOutcome<'_>, now: u64) -> Vec<Command> {
        let mut commands = Vec::new();
        self.checks.on_response(call, outcome, now);
        self.earliest_due = self.earliest_due.min(now);
        self.checks.send(now, &mut commands);
        commands
    }

    /// Number of streams that have outlasted their slot.
    #[must_use]
    pub fn lasting(&self) -> usize {
        self.lasting.len()
    }

    /// Follows a stream that has lasted.
    fn keep(&mut self, open: Open) {
        if self.lasting.len() >= MAX_LASTING {
            self.unfollowed += 1;
            return;
        }
        let refresh_token = open.refresh_token().map(|token| self.checks.share(token));
        self.lasting.insert(open.stream, Lasting { identity: open.identity, refresh_token });
    }

    /// Judges every stream.
    fn sweep(&mut self, now: u64, skew_s: u64, state: &EdgeState, commands: &mut Vec<Command>) {
        let (mut expiry, mut due) = (u64::MAX, u64::MAX);
        let mut expired = Vec::new();
        let mut close = |stream, reason| commands.push(Command::Close { stream, reason });
        self.recent.retain(|open| match judge(open.identity, now, skew_s, state) {
            Judgement::Close(reason) => {
                close(open.stream, reason);
                false
            }
            Judgement::StayUntil(time) => {
                expiry = expiry.min(time);
                true
            }
            Judgement::Expired => {
                expired.push(open.to_open());
                false
            }
        });
        for open in expired {
            self.keep(open);
        }
        let checks = &mut self.checks;
        self.lasting.retain(|&stream, lasting| {
            let token = lasting.refresh_token.as_ref();
            let reason = match judge(&lasting.identity, now, skew_s, state) {
                Judgement::Close(reason) => reason,
                Judgement::StayUntil(time) => {
                    expiry = expiry.min(time);
                    return true;
                }
                Judgement::Expired => match checks.judge(&lasting.identity, token, now) {
                    Continuation::Until(time) => {
                        due = due.min(time);
                        return true;
                    }
                    Continuation::Unknown => return true,
                    Continuation::Outdated => EndReason::TokenOutdated,
                    Continuation::Over => EndReason::Expired,
                },
            };
            checks.release(token);
            close(stream, reason);
            false
        });
        (self.earliest_expiry, self.earliest_due) = (expiry, due);
    }
}

/// Judges an identity by the revocations and the time.
fn judge(identity: &Identity, now: u64, skew_s: u64, state: &EdgeState) -> Judgement {
    match state.revocations().judge(identity) {
        Ok(()) if now < identity.expires_at().saturating_add(skew_s) => {
            Judgement::StayUntil(identity.expires_at())
        }
        Ok(()) => Judgement::Expired,
        Err(Rejection::SessionEnded { .. }) => Judgement::Close(EndReason::SessionEnded),
        Err(_) => Judgement::Close(EndReason::TokenOutdated),
    }
}

#[cfg(test)]
mod tests;
