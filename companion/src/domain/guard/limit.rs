//! A limit by the generic cell rate algorithm (ITU-T I.371): so many attempts at once, which come back one by one.
//!
//! The state of a bucket is one time, the theoretical arrival time: the bucket is full again then.

use std::fmt;

use edgeward_wire::clock::MAX_GAP_S;
use time::{Duration, OffsetDateTime};

/// Maximum number of attempts at once. Chosen: more than any network needs.
const MAX_BURST: u32 = 10_000;
/// Maximum difference between the clocks of companions. Chosen: as between a companion and a gateway.
pub(super) const MAX_CLOCK_GAP: Duration = Duration::seconds(MAX_GAP_S as i64);
/// Maximum time in which a bucket refills. Chosen: a limit for longer would outlive its reason.
const MAX_PERIOD_S: i64 = 86_400;

/// Number of attempts that a bucket holds, and the time in which an empty one refills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    burst: u32,
    period: Duration,
}

impl Limit {
    /// Makes a limit of `burst` attempts, 1 at least, that refill in `period`.
    #[must_use]
    pub const fn new(burst: u32, period: Duration) -> Self {
        Self { burst, period }
    }

    /// Parses `<attempts>/<time>`, such as `20/20m`: 1 to 10,000 attempts, and a time of 1 s to 24 h in `s`, `m` or `h`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (burst, period) = text.split_once('/')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (number, unit) = period.split_at_checked(period.len().checked_sub(1)?)?;
        if !is_number(burst) || !is_number(number) {
            return None;
        }
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        let burst = burst.parse().ok().filter(|burst| (1..=MAX_BURST).contains(burst))?;
        let period = number.parse::<i64>().ok()?.checked_mul(seconds)?;
        (1..=MAX_PERIOD_S).contains(&period).then(|| Self::new(burst, Duration::seconds(period)))
    }

    /// Returns a limit of `factor` times as many attempts in the same time.
    pub(super) const fn times(self, factor: u32) -> Self {
        Self { burst: self.burst * factor, period: self.period }
    }

    /// Returns the number of attempts that a full bucket holds.
    #[must_use]
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// Returns the time in which an empty bucket refills.
    #[must_use]
    pub fn period(self) -> Duration {
        self.period
    }

    /// Returns the time in which one attempt comes back: whole microseconds, which Postgres stores.
    #[must_use]
    pub fn interval(self) -> Duration {
        Duration::nanoseconds_i128(self.period.whole_microseconds() / i128::from(self.burst) * 1000)
    }

    /// Returns the latest arrival time of a bucket that admits an attempt at `now`.
    #[must_use]
    pub fn latest_arrival(self, now: OffsetDateTime) -> OffsetDateTime {
        now + self.interval() * self.burst.saturating_sub(1)
    }

    /// Returns the time from which on a bucket with this arrival time admits an attempt.
    #[must_use]
    pub fn admits_from(self, arrival: OffsetDateTime) -> OffsetDateTime {
        arrival - self.interval() * self.burst.saturating_sub(1)
    }

    /// Returns the arrival time of a bucket at `now`. A stored one that is more than a minute beyond that of an empty bucket is of
    /// a clock that was ahead: then the bucket is empty. So a clock that is further behind hands back the attempts of the
    /// difference.
    #[must_use]
    pub fn clamp(self, arrival: OffsetDateTime, now: OffsetDateTime) -> OffsetDateTime {
        let empty = now + self.period;
        if arrival > empty + MAX_CLOCK_GAP { empty } else { arrival }
    }

    /// Charges an attempt at `now` to a bucket with this arrival time, and returns the next one. Postgres charges by the same
    /// rule (`db::attempts`).
    ///
    /// # Errors
    /// The arrival time to store, if the bucket is empty.
    pub fn charge(
        self,
        arrival: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime, OffsetDateTime> {
        let arrival = self.clamp(arrival, now);
        if arrival <= self.latest_arrival(now) {
            Ok(arrival.max(now) + self.interval())
        } else {
            Err(arrival)
        }
    }
}

/// As [`Limit::parse`] reads it, in seconds.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.burst, self.period.whole_seconds())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<(u32, i64)>) {
        let expected = expected.map(|(burst, seconds)| Limit::new(burst, Duration::seconds(seconds)));
        assert_eq!(Limit::parse(text), expected, "{text:?}");
    }

    #[test]
    fn limit_is_attempts_and_a_time_with_its_unit() {
        check("20/20m", Some((20, 1200)));
        check("1/1s", Some((1, 1)));
        check("10000/24h", Some((10_000, 86_400)));
        check("40/600s", Some((40, 600)));
        for text in [
            "",
            "20",
            "20/",
            "/20m",
            "0/1m",
            "10001/1m",
            "20/0s",
            "20/25h",
            "20/86401s",
            "20/20",
            "20/m",
            "-1/1m",
            "+1/1m",
            "20/1d",
            "20 / 1m",
            "20/1é",
            "20/9223372036854775807h",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn empty_bucket_admits_one_attempt_each_interval() {
        let (limit, now) = (Limit::new(3, Duration::seconds(30)), OffsetDateTime::UNIX_EPOCH);
        let mut arrival = now;
        for _ in 0..3 {
            arrival = limit.charge(arrival, now).unwrap();
        }
        assert_eq!(arrival, now + Duration::seconds(30), "full again after the period");
        assert_eq!(limit.charge(arrival, now), Err(arrival));
        let retry = limit.admits_from(arrival);
        assert_eq!(retry, now + Duration::seconds(10));
        assert_eq!(limit.charge(arrival, retry - Duration::MICROSECOND), Err(arrival));
        arrival = limit.charge(arrival, retry).unwrap();
        assert_eq!(limit.charge(arrival, retry), Err(arrival));
    }

    proptest! {
        #[test]
        fn no_more_is_admitted_than_a_burst_and_what_came_back(
            burst in 1_u32..50,
            period in 1_i64..100_000,
            pauses in prop::collection::vec(0_i64..5_000_000, 1..300),
        ) {
            let limit = Limit::new(burst, Duration::seconds(period));
            let start = OffsetDateTime::UNIX_EPOCH;
            let (mut now, mut arrival, mut admitted) = (start, start, 0);
            for pause in pauses {
                now += Duration::microseconds(pause);
                if let Ok(next) = limit.charge(arrival, now) {
                    prop_assert!(limit.admits_from(arrival) <= now);
                    (arrival, admitted) = (next, admitted + 1);
                } else {
                    prop_assert!(limit.admits_from(arrival) > now);
                }
                let back = (now - start).whole_nanoseconds() / limit.interval().whole_nanoseconds();
                prop_assert!(admitted <= i128::from(burst) + back);
            }
        }

        #[test]
        fn clock_that_jumps_forth_gives_a_burst_at_most_and_locks_nobody_out(
            burst in 1_u32..50,
            period in 1_i64..100_000,
            jumps in prop::collection::vec(-40_000_000_i64..40_000_000, 1..50),
        ) {
            let limit = Limit::new(burst, Duration::seconds(period));
            let mut now = OffsetDateTime::UNIX_EPOCH;
            let mut arrival = now + limit.period();
            for jump in jumps.into_iter().map(Duration::seconds) {
                now += jump;
                let mut admitted = 0;
                for _ in 0..=burst {
                    match limit.charge(arrival, now) {
                        Ok(next) => (arrival, admitted) = (next, admitted + 1),
                        Err(empty) => arrival = empty,
                    }
                }
                // Back by more than a period and forth again, these are a whole burst, though no time has passed.
                let (forth, step) = (jump.max(Duration::ZERO), limit.interval().whole_nanoseconds());
                let most = ((forth.whole_nanoseconds() + step - 1) / step).min(i128::from(burst));
                prop_assert!(admitted <= most, "{admitted} of {most}");
                prop_assert!(limit.charge(arrival, now + limit.period() + MAX_CLOCK_GAP).is_ok());
            }
        }
    }
}
