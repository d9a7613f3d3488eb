//! Outcome of a poll: the response is applied and published, or the worker backs off.

use std::time::Duration;

use edgeward_wire::MAX_BANS;

use super::{CallInFlight, Command, Counter, FeedFollower};
use crate::call::CallOutcome;
use crate::edge_state::{Applied, EdgeState};
use crate::feed::poll::{self, PollError};
use crate::feed::relay::{FeedOffset, SharedData};
use crate::feed::schedule::EAGER_POLL;
use crate::log::Level;

impl FeedFollower {
    /// Applies the outcome of the poll in flight. Without one, nothing happens.
    #[must_use = "commands are to be carried out"]
    pub fn on_response(
        &mut self,
        outcome: &CallOutcome<'_>,
        now: Duration,
        state: &mut EdgeState,
        shared: &mut impl SharedData,
    ) -> Vec<Command> {
        let Some(CallInFlight { catches_up_to, .. }) = self.call.take() else { return Vec::new() };
        let applied = poll::successful_body(outcome)
            .and_then(|body| Ok((state.apply(body, now.as_secs()).map_err(PollError::from)?, body)));
        match applied {
            Ok((applied, body)) => self.succeed(applied, catches_up_to, body, now, state, shared),
            Err(error) => {
                self.catching_up = catches_up_to.or(self.catching_up.take());
                self.fail(&error, now, state, shared)
            }
        }
    }

    /// Publishes a response that was applied, if it continues the relay, and polls for the next page if there is one.
    fn succeed(
        &mut self,
        applied: Applied,
        catches_up_to: Option<FeedOffset>,
        body: &[u8],
        now: Duration,
        state: &EdgeState,
        shared: &mut impl SharedData,
    ) -> Vec<Command> {
        let mut commands = Vec::new();
        let now_s = now.as_secs();
        if applied.keys_changed {
            commands.push(Command::log(Level::Info, &format!("keys: {}", state.keys())));
            self.relay.store_keys(shared, now_s, body);
        }
        // Once for each version: of several companions that are polled in turn, one may be apart.
        if let Some(version) = applied.version.filter(|version| *version != self.incompatible)
            && let Some(line) = poll::describe_incompatible(&version)
        {
            commands.push(Command::log(Level::Warn, &line));
            self.incompatible = version;
        }
        if applied.bans_skipped > 0 {
            let line = format!(
                "skipped {} of the bans in the edge feed: at most {MAX_BANS} are held, and each must be of a network; see the \
                 companion's table bans",
                applied.bans_skipped
            );
            commands.push(Command::log(Level::Warn, &line));
        }
        match catches_up_to {
            Some(offset) if applied.has_more => self.catching_up = Some(offset),
            Some(offset) => self.applied = offset,
            None => match self.relay.publish(shared, &self.applied, state.cursor(), now_s, body) {
                Some(offset) => self.applied = offset,
                // Another worker has published a response meanwhile.
                None => self.catching_up = Some(self.relay.last(shared)),
            },
        }
        if self.schedule.on_success(now, self.feed.poll) {
            commands.push(Command::log(Level::Info, "the edge feed responds again"));
        }
        let gap = self.clock_gap.observe(applied.clock_ahead_s, now, self.feed.poll);
        commands.extend(gap.map(|line| Command::log(Level::Warn, &line)));
        if self.catching_up.is_some() {
            self.schedule.poll_now();
        }
        if applied.has_more {
            commands.extend(self.poll(now, state));
        }
        commands
    }

    /// Backs off after a failed poll. The first failure in a row is logged.
    pub(super) fn fail(
        &mut self,
        error: &PollError,
        now: Duration,
        state: &mut EdgeState,
        shared: &impl SharedData,
    ) -> Vec<Command> {
        let mut commands = vec![Command::Count(Counter::PollFailed(error.label()))];
        // If other workers have followed the feed, they know revocations that this one must not ignore. A call that was not
        // accepted says nothing of the companion: while the host starts, it has no cluster for it.
        let waited_s = now.saturating_sub(self.started_at).as_secs();
        let is_tried = self.relay.last(shared).number == 0 && !matches!(error, PollError::NotAccepted);
        let may_serve = is_tried || waited_s > self.feed.max_staleness_s;
        if !self.feed.denies_stale && may_serve {
            state.serve_unsynced();
        }
        let first = if state.keys().is_empty() { EAGER_POLL } else { self.feed.poll };
        if self.schedule.on_failure(now, first, self.feed.poll) {
            let cluster = &self.feed.cluster;
            let line = format!(
                "poll of the edge feed at cluster {cluster} failed, the last valid state stays in use: {error}"
            );
            commands.push(Command::log(Level::Warn, &line));
        }
        commands
    }
}
