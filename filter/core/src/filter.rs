//! One configuration on one worker: the life of its requests, from the head to the end of the stream. A host reads bytes,
//! carries out what is returned here, and decides nothing itself.

mod command;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::call::CallOutcome;
use crate::config::Refresh;
use crate::cors::CrossOrigin;
use crate::edge_state::EdgeState;
use crate::gate::Gate;
use crate::header_edits::{self, HeaderEdit, Scratch};
use crate::hold::{HeldRequests, Resume};
use crate::policy::Policy;
use crate::request::{Field, Request, StreamId};
use crate::streams::OpenStreams;
use crate::token_cache::TokenCache;
use crate::verdict::{Hold, Outcome, Pass, Renewed, Verdict};

pub use command::{CallId, Command};

/// Interval at which the host calls [`Filter::on_tick`].
pub const TICK: Duration = Duration::from_millis(100);

/// Configuration on one worker, and its requests.
pub struct Filter {
    policy: Arc<Policy>,
    refresh: Option<Refresh>,
    cache: Arc<TokenCache>,
    held: Option<HeldRequests>,
    open: OpenStreams,
    /// Requests from pages of other origins that await their response.
    cross_origin: BTreeMap<StreamId, CrossOrigin>,
    scratch: Scratch,
}

/// A request that is held.
#[derive(Debug)]
pub struct Held {
    /// Call to send for it; none if one is under way.
    pub commands: Vec<Command>,
    /// `true` if the edge feed may have news that let the request pass.
    pub poll_early: bool,
}

/// Parts that a response lacks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Origin whose pages may read the response.
    pub cross_origin: Option<CrossOrigin>,
    /// Tokens to set as cookies.
    pub renewed: Option<Arc<Renewed>>,
}

impl Filter {
    /// Starts without requests. Workers of a process share the policy and the cache.
    #[must_use]
    pub fn new(policy: Arc<Policy>, refresh: Option<Refresh>, cache: Arc<TokenCache>) -> Self {
        let held = refresh.clone().map(|refresh| HeldRequests::new(refresh, &policy.cookies.refresh, TICK));
        let open = OpenStreams::new(refresh.is_some());
        let (cross_origin, scratch) = (BTreeMap::new(), Scratch::default());
        Self { policy, refresh, cache, held, open, cross_origin, scratch }
    }

    /// Rules and limits for requests.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides on a request at `now`, since 1970. `fields` are those of its head.
    ///
    /// # Errors
    /// [`Held`] if the request is held.
    pub fn admit<'a>(
        &mut self,
        stream: StreamId,
        request: &Request<'_>,
        fields: impl IntoIterator<Item = Field<'a>>,
        state: &EdgeState,
        now: Duration,
    ) -> Result<Verdict<Infallible>, Held> {
        if let Some(cross_origin) = CrossOrigin::read(&self.policy, request) {
            self.cross_origin.insert(stream, cross_origin);
        }
        match self.gate(state, now).decide(request).settled() {
            Ok(verdict) => {
                self.follow(stream, &verdict, request);
                Ok(verdict)
            }
            Err(hold) => self.hold(stream, &hold, request, fields, state, now),
        }
    }

    #[cold]
    #[inline(never)]
    fn hold<'a>(
        &mut self,
        stream: StreamId,
        hold: &Hold,
        request: &Request<'_>,
        fields: impl IntoIterator<Item = Field<'a>>,
        state: &EdgeState,
        now: Duration,
    ) -> Result<Verdict<Infallible>, Held> {
        let requests = self.held.as_mut().ok_or(Outcome::Unavailable);
        match requests.and_then(|requests| requests.hold(stream, hold, request.end_of_stream, fields)) {
            Ok(call) => {
                let commands = call.map(Command::from).into_iter().collect();
                Err(Held { commands, poll_early: hold.poll_early })
            }
            Err(outcome) => {
                let end_of_stream = request.end_of_stream;
                let resume = Resume { stream, end_of_stream, rejection: hold.rejection, outcome };
                Ok(self.resume(&resume, request, state, now))
            }
        }
    }

    /// Decides again on a request that was held.
    pub fn resume(
        &mut self,
        resume: &Resume,
        request: &Request<'_>,
        state: &EdgeState,
        now: Duration,
    ) -> Verdict<Infallible> {
        let verdict = self.gate(state, now).resume(request, resume.rejection, &resume.outcome);
        self.follow(resume.stream, &verdict, request);
        verdict
    }

    fn gate<'a>(&'a self, state: &'a EdgeState, now: Duration) -> Gate<'a> {
        Gate { policy: &self.policy, state, cache: &self.cache, now: now.as_secs() }
    }

    /// Follows the stream of a request that passes, if it is to end with its session.
    fn follow(&mut self, stream: StreamId, verdict: &Verdict<Infallible>, request: &Request<'_>) {
        if let Verdict::Pass(Pass { identity: Some(identity), ends_with_session: true, .. }) = verdict {
            let [_, refresh_token] = self.policy.cookies.read(request);
            self.open.opened(stream, identity, refresh_token.ok().flatten());
        }
    }

    /// Edits of a request's fields that follow from its verdict.
    pub fn edits<'a>(
        &'a mut self,
        verdict: &'a Verdict<Infallible>,
        request: &'a Request<'_>,
    ) -> impl Iterator<Item = HeaderEdit<'a>> {
        self.scratch.reset();
        header_edits::of_request(&self.policy, verdict, request, &mut self.scratch)
    }

    /// `true` if the response of a stream may lack something.
    #[must_use]
    pub fn awaits_response(&self, stream: StreamId) -> bool {
        self.cross_origin.contains_key(&stream)
            || self.held.as_ref().is_some_and(|held| held.contains(stream))
    }

    /// Returns what the response of a stream lacks.
    pub fn on_response_headers(&mut self, stream: StreamId) -> Completion {
        Completion {
            cross_origin: self.cross_origin.remove(&stream),
            renewed: self.held.as_mut().and_then(|held| held.on_response_headers(stream)),
        }
    }

    /// Drops a stream that has ended. One of another configuration is ignored.
    pub fn on_stream_end(&mut self, stream: StreamId) {
        self.cross_origin.remove(&stream);
        self.open.ended(stream);
        if let Some(held) = &mut self.held {
            held.on_stream_end(stream);
        }
    }

    /// `true` if a request is held, or awaits the response that sets its cookies.
    #[must_use]
    pub fn holds_requests(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.is_empty())
    }

    /// Takes the outcome of a call at `now`, since 1970. One of an unknown call is ignored.
    pub fn on_response(&mut self, call: CallId, outcome: &CallOutcome<'_>, now: Duration) -> Vec<Command> {
        match (call, &mut self.held) {
            (CallId::Refresh(call), Some(held)) => {
                held.on_response(call, outcome).into_iter().map(Command::from).collect()
            }
            (CallId::Refresh(_), None) => Vec::new(),
            (CallId::SessionCheck(call), _) => {
                let commands = self.open.on_response(call, outcome, now.as_secs());
                self.commands_of_streams(commands)
            }
        }
    }

    /// Does what is due at `now`, since 1970, after the edge feed was followed.
    pub fn on_tick(&mut self, state: &EdgeState, now: Duration) -> Vec<Command> {
        let clock_skew_s = self.policy.expected.clock_skew_s;
        let of_streams = self.open.on_tick(now.as_secs(), clock_skew_s, state);
        let of_held = self.held.as_mut().map(HeldRequests::on_tick).unwrap_or_default();
        let mut commands = self.commands_of_streams(of_streams);
        commands.extend(of_held.into_iter().map(Command::from));
        commands
    }

    fn commands_of_streams(&self, commands: Vec<crate::streams::Command>) -> Vec<Command> {
        command::of_streams(commands, self.refresh.as_ref(), &self.policy.cookies)
    }
}

#[cfg(test)]
mod tests;
