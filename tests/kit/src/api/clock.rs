//! Clock of an API in this process.

use std::sync::Mutex;

use edgeward_companion::clock::{Clock, SystemClock};
use time::{Duration, OffsetDateTime};

/// Clock that stands still until it is moved or started. It begins in 2030.
pub struct MovableClock(Mutex<Hand>);

/// Hand of a clock.
struct Hand {
    now: OffsetDateTime,
    /// Time that passes with each look at it.
    step: Duration,
}

impl MovableClock {
    pub(super) fn at(now: OffsetDateTime) -> Self {
        Self(Mutex::new(Hand { now, step: Duration::ZERO }))
    }

    /// Jumps to the time of the system, which commands have too.
    pub fn catch_up(&self) {
        self.0.lock().expect("a clock").now = SystemClock.now();
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.0.lock().expect("a clock").now += by;
    }

    /// Lets a microsecond pass with each look at the clock, as time does.
    pub fn start(&self) {
        self.0.lock().expect("a clock").step = Duration::MICROSECOND;
    }
}

impl Clock for MovableClock {
    fn now(&self) -> OffsetDateTime {
        let Hand { now, step } = &mut *self.0.lock().expect("a clock");
        *now += *step;
        *now
    }
}
