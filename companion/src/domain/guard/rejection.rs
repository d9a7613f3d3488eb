//! The rejection of an attempt by one of its buckets.

use time::{Duration, OffsetDateTime};

use super::{Bucket, MAX_FAILURES};

/// Time after which an attempt may be repeated that failed too often in a row. Only an operator, the owner or a known
/// device ends that, so the time is not known. Chosen.
const RETRY_AFTER_FAILURES: Duration = Duration::hours(1);

/// State of a bucket, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketState {
    /// Time at which it is full again.
    pub arrival: OffsetDateTime,
    /// Number of consecutive failures.
    pub failures: i32,
}

/// Rejection of an attempt by a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRejection {
    /// Bucket.
    pub bucket: Bucket,
    /// Time from which on it admits an attempt.
    pub until: OffsetDateTime,
    /// Time at which it is full again.
    pub full_at: OffsetDateTime,
}

impl AttemptRejection {
    /// Makes the rejection by a bucket in this state.
    #[must_use]
    pub fn new(bucket: Bucket, state: BucketState, now: OffsetDateTime) -> Self {
        let has_failed = bucket.kind.counts_failures() && state.failures >= MAX_FAILURES;
        let full_at = bucket.limit.clamp(state.arrival, now);
        let admits_from = bucket.limit.admits_from(full_at).max(now);
        let until = if has_failed { now + RETRY_AFTER_FAILURES } else { admits_from };
        Self { bucket, until, full_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guard::{Kind, Limit};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn check(kind: Kind, arrival: Duration, failures: i32, expected: Duration) {
        let limit = Limit::parse("3/3m").unwrap();
        let state = BucketState { arrival: NOW + arrival, failures };
        let rejection =
            AttemptRejection::new(Bucket { kind, key: [0; 17], limit, network: None }, state, NOW);
        assert_eq!(rejection.until - NOW, expected, "{kind:?}, {arrival}, {failures}");
    }

    #[test]
    fn bucket_rejects_until_one_attempt_is_back_or_for_failures_an_hour() {
        check(Kind::Account, Duration::seconds(180), 0, Duration::MINUTE);
        check(Kind::Account, Duration::seconds(180), MAX_FAILURES - 1, Duration::MINUTE);
        check(Kind::Account, Duration::seconds(180), MAX_FAILURES, Duration::HOUR);
        check(Kind::Device, Duration::ZERO, MAX_FAILURES, Duration::HOUR);
        check(Kind::Address, Duration::seconds(150), MAX_FAILURES, Duration::seconds(30));
        check(Kind::Address, Duration::ZERO, 0, Duration::ZERO);
        // Of a clock that was ahead: the bucket is empty.
        check(Kind::Address, Duration::weeks(52), 0, Duration::MINUTE);
    }
}
