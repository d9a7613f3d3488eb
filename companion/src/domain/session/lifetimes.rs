//! Lifetimes of sessions, and of refresh tokens that have a successor.

use edgeward_wire::clock::DEFAULT_SKEW_S;
use time::{Duration, OffsetDateTime};

/// Maximum by which a repeated token may be dated ahead of now: the default of the filter's `clock_skew_seconds`.
const MAX_AHEAD: Duration = Duration::seconds(DEFAULT_SKEW_S as i64);

/// Lifetimes of sessions, and the grace period of superseded refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Lifetime of a session without a refresh.
    pub idle: Duration,
    /// Maximum lifetime of a session. It limits a thief who refreshes in step with the owner and is never discovered.
    pub absolute: Duration,
    /// Grace period: time for which a superseded token is accepted, from a request that crossed with its successor.
    pub grace: Duration,
}

impl Lifetimes {
    /// Returns the time at which a session expires that began at `created_at` and is not used after `now`.
    #[must_use]
    pub fn expiry(&self, created_at: OffsetDateTime, now: OffsetDateTime) -> OffsetDateTime {
        (now + self.idle).min(created_at + self.absolute)
    }

    /// Returns the time of the latest start of a session that has reached its maximum lifetime by `now`.
    #[must_use]
    pub fn oldest_start(&self, now: OffsetDateTime) -> OffsetDateTime {
        now - self.absolute
    }

    /// Returns `true` if a session that was last refreshed at `updated_at` is to be renewed. Before that its tokens are
    /// repeated and its row stays as it is.
    ///
    /// Half of the grace period is enough for that: the other half is left to requests that cross with a repeated
    /// response.
    pub(super) fn renewal_is_due(&self, updated_at: OffsetDateTime, now: OffsetDateTime) -> bool {
        updated_at <= now - self.grace / 2
    }

    /// Returns `true` if tokens that are dated to `updated_at` are too far ahead of `now`: the clock was set back,
    /// and the gateways would reject them.
    pub(super) fn is_ahead(&self, updated_at: OffsetDateTime, now: OffsetDateTime) -> bool {
        updated_at > now + MAX_AHEAD.min(self.grace / 2)
    }

    /// Returns `true` if a grace period that began at `since` is over.
    pub(super) fn grace_is_over(&self, since: OffsetDateTime, now: OffsetDateTime) -> bool {
        since <= now - self.grace
    }
}
