//! Where the time comes from: the one place that reads the machine's clock, and never anything else.

use time::OffsetDateTime;

/// Tells the time. Handed to whatever needs it, so that tests can move it.
pub trait Clock: Send + Sync {
    /// The moment it is, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}
