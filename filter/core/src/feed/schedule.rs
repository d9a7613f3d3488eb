//! Times at which a worker polls: regularly, with back-off after failures, or early.

use std::time::Duration;

use crate::random::Random;

/// First time between polls while no key is known. Chosen: short, because every protected route responds 503.
pub(super) const EAGER_POLL: Duration = Duration::from_millis(100);
/// Maximum time between polls while they fail, unless the configured one is longer. Chosen: short, because
/// revocations wait.
const MAX_BACK_OFF: Duration = Duration::from_secs(2);
/// Minimum time between early polls. Chosen: tokens under made-up keys must not make a worker poll all the time.
const EARLY_POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Failures in a row from which on a worker leaves polls to others between its own.
const FAILURES_TO_YIELD: u32 = 2;
/// Maximum exponent of the back-off: more than enough to reach [`MAX_BACK_OFF`], and no overflow.
const MAX_EXPONENT: u32 = 10;

/// Times of a worker's polls.
#[derive(Debug)]
pub(super) struct Schedule {
    random: Random,
    next_poll: Duration,
    last_early_poll: Duration,
    /// Failed polls in a row.
    failures: u32,
}

impl Schedule {
    /// A poll is due at once.
    pub(super) const fn new(random: Random) -> Self {
        Self { random, next_poll: Duration::ZERO, last_early_poll: Duration::ZERO, failures: 0 }
    }

    /// `true` if a poll is due.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        now >= self.next_poll
    }

    /// `true` if this worker may be the one that polls for all. After repeated failures it may be only when its own
    /// poll is due: another worker may reach the feed.
    pub(super) fn may_lead(&self, now: Duration) -> bool {
        self.failures < FAILURES_TO_YIELD || self.is_due(now)
    }

    /// Makes a poll due at once.
    pub(super) const fn poll_now(&mut self) {
        self.next_poll = Duration::ZERO;
    }

    /// Makes a poll due at once, unless that was done in the last [`EARLY_POLL_INTERVAL`]. Returns `true` if it is.
    pub(super) fn poll_early(&mut self, now: Duration) -> bool {
        let is_allowed = now.saturating_sub(self.last_early_poll) >= EARLY_POLL_INTERVAL;
        if is_allowed {
            self.last_early_poll = now;
            self.poll_now();
        }
        is_allowed
    }

    /// Schedules the poll after a success. Returns `true` if polls failed before.
    pub(super) fn on_success(&mut self, now: Duration, poll: Duration) -> bool {
        self.next_poll = now + self.random.jitter(poll);
        std::mem::take(&mut self.failures) > 0
    }

    /// Schedules the poll after a failure: `first` later after the first one, then twice as long after each, at most
    /// [`MAX_BACK_OFF`] or `poll`. Returns `true` for the first failure in a row.
    pub(super) fn on_failure(&mut self, now: Duration, first: Duration, poll: Duration) -> bool {
        let back_off = first.saturating_mul(1 << self.failures.min(MAX_EXPONENT));
        self.next_poll = now + self.random.jitter(back_off.min(MAX_BACK_OFF.max(poll)));
        self.failures = self.failures.saturating_add(1);
        self.failures == 1
    }

    /// Makes everything due at once, because the clock was set back.
    pub(super) const fn clamp_clock(&mut self) {
        self.last_early_poll = Duration::ZERO;
        self.poll_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_hours(500_000);

    /// Returns `true` if the next poll is within a tenth of `expected` milliseconds after `now`.
    fn is_after(schedule: &Schedule, now: Duration, expected: u64) -> bool {
        let wait = schedule.next_poll.saturating_sub(now).as_millis();
        (u128::from(expected * 9 / 10)..=u128::from(expected * 11 / 10)).contains(&wait)
    }

    #[test]
    fn time_between_failing_polls_doubles_up_to_a_limit() {
        for (first, poll, expected) in [
            (100, 1000, vec![100, 200, 400, 800, 1600, 2000, 2000]),
            (1000, 1000, vec![1000, 2000, 2000]),
            (5000, 5000, vec![5000, 5000, 5000]),
        ] {
            let mut schedule = Schedule::new(Random::from_seed(1));
            let (first, poll) = (Duration::from_millis(first), Duration::from_millis(poll));
            for (number, millis) in expected.into_iter().enumerate() {
                assert_eq!(schedule.on_failure(NOW, first, poll), number == 0);
                assert!(is_after(&schedule, NOW, millis), "failure {number}: {:?}", schedule.next_poll);
            }
            for _ in 0..100 {
                schedule.on_failure(NOW, first, poll);
            }
            assert!(schedule.on_success(NOW, poll), "the failures end");
            assert!(is_after(&schedule, NOW, u64::try_from(poll.as_millis()).unwrap()));
            assert!(!schedule.on_success(NOW, poll), "and are not reported again");
        }
    }

    #[test]
    fn worker_that_failed_twice_leads_only_when_its_poll_is_due() {
        let mut schedule = Schedule::new(Random::from_seed(1));
        let second = Duration::from_secs(1);
        for leads_between in [true, false, false] {
            schedule.on_failure(NOW, second, second);
            assert_eq!(schedule.may_lead(NOW), leads_between);
            assert!(schedule.may_lead(NOW + 3 * second));
        }
        schedule.on_success(NOW, second);
        assert!(schedule.may_lead(NOW));
    }

    #[test]
    fn early_polls_are_five_seconds_apart_whatever_the_clock_does() {
        let mut schedule = Schedule::new(Random::from_seed(1));
        let millis = Duration::from_millis;
        let mut early = |at| {
            schedule.on_success(at, Duration::from_mins(1));
            let is_allowed = schedule.poll_early(at);
            assert_eq!(schedule.is_due(at), is_allowed);
            is_allowed
        };
        let times = [0, 1, 4999, 5000, 5001, 10_000].map(|at| early(NOW + millis(at)));
        assert_eq!(times, [true, false, false, true, false, true]);
        schedule.clamp_clock();
        assert!(schedule.poll_early(NOW.saturating_sub(Duration::from_mins(10))));
    }
}
