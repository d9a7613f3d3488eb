//! Commands of a [`FeedFollower`](super::follower::FeedFollower) to its host.

use crate::call::HttpCall;
use crate::edge_state::EdgeState;
use crate::log::Level;

/// Command to the host. Commands are carried out in the order of the list that they are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Sends a call. Its outcome goes to
    /// [`on_response`](super::follower::FeedFollower::on_response): at once where the host does not accept the call.
    Poll(HttpCall),
    /// Drops the call in flight: its outcome must not be handed over any more.
    CancelPoll,
    /// Writes a line to the log.
    Log(Level, String),
    /// Increments a counter.
    Count(Counter),
    /// Sets the gauges.
    Record(Gauges),
}

/// Counter to increment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Polls.
    Poll,
    /// Polls that failed, by reason: a label, `[a-z_]+`.
    PollFailed(&'static str),
}

/// Values of the gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// Time since the state was last known to be current, in seconds: that of the worker whose state is the oldest. The host
    /// has one gauge for all workers.
    pub feed_age_s: u64,
    /// Number of the last response, among those that the workers of this proxy share.
    pub feed_answer: u64,
    /// Number of the key set since the start.
    pub key_set_generation: u64,
    /// Keys in the key set.
    pub keys: u64,
    /// Revocations held.
    pub revocations: u64,
    /// Bans held.
    pub bans: u64,
}

impl Counter {
    /// Returns the name of the metric, and the reason by which it is divided, empty if it is not.
    #[must_use]
    pub const fn metric(self) -> (&'static str, &'static str) {
        match self {
            Self::Poll => ("edgeward_feed_polls", ""),
            Self::PollFailed(reason) => ("edgeward_feed_failed", reason),
        }
    }
}

impl Gauges {
    /// Returns the values by the names of the metrics.
    #[must_use]
    pub const fn metrics(self) -> [(&'static str, u64); 6] {
        [
            ("edgeward_feed_age_seconds", self.feed_age_s),
            ("edgeward_feed_answer", self.feed_answer),
            ("edgeward_key_set_generation", self.key_set_generation),
            ("edgeward_keys", self.keys),
            ("edgeward_revocations", self.revocations),
            ("edgeward_bans", self.bans),
        ]
    }
}

impl Command {
    /// Writes a line to the log, with the filter's name before it.
    pub(super) fn log(level: Level, line: &str) -> Self {
        Self::Log(level, format!("edgeward: {line}"))
    }

    /// Sets the gauges to the state. `feed_age_s` is that of the worker whose state is the oldest.
    pub(super) fn record(state: &EdgeState, response: u32, feed_age_s: u64) -> Self {
        Self::Record(Gauges {
            feed_age_s,
            feed_answer: response.into(),
            key_set_generation: state.generation(),
            keys: state.keys().len() as u64,
            revocations: state.revocations().len() as u64,
            bans: state.bans().len() as u64,
        })
    }
}
