//! Rejections that need no SQL: Postgres has rejected the bucket shortly before.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use quick_cache::sync::Cache;
use time::{Duration, OffsetDateTime};

use crate::domain::guard::{AttemptRejection, Ban, Bucket, BucketKey};

/// Maximum number of rejections that are stored. Chosen: some 2 MiB. Beyond it, the statement rejects.
const CAPACITY: usize = 10_000;
/// Maximum time for which a rejection of an account counts without a look at its row: a login, a new password or an
/// operator may have cleared it by way of another companion. The row of an address is never cleared. A refund or a
/// clamp may move it; until the time that was read before, this process then rejects more than the row.
const MAX_AGE: Duration = Duration::seconds(2);

/// Last rejections of this process, by bucket.
pub(super) struct RecentRejections(Cache<BucketKey, Entry>);

#[derive(Clone)]
struct Entry {
    rejection: AttemptRejection,
    recorded_at: OffsetDateTime,
    /// Time from which on the row decides again.
    expires_at: OffsetDateTime,
    row: Arc<Row>,
}

/// Rejections of a bucket in a row.
#[derive(Default)]
struct Row {
    count: AtomicU32,
    /// End of the ban that they led to, in seconds since 1970; 0 for none.
    banned_until: AtomicI64,
}

impl Entry {
    /// Returns `false` before the entry was recorded too: the clock was ahead then.
    fn counts_at(&self, now: OffsetDateTime) -> bool {
        (self.recorded_at..self.expires_at).contains(&now)
    }
}

impl Default for RecentRejections {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl RecentRejections {
    /// Finds a bucket that rejects at `now`.
    pub(super) fn find(&self, buckets: &[Bucket], now: OffsetDateTime) -> Option<AttemptRejection> {
        let entry = |bucket: &Bucket| self.0.get(&bucket.key).filter(|entry| entry.counts_at(now));
        buckets.iter().find_map(entry).map(|entry| entry.rejection)
    }

    /// Stores a rejection. Returns the ban to set for it and its predecessors, if there is one.
    pub(super) fn record(&self, rejection: &AttemptRejection, now: OffsetDateTime) -> Option<Ban> {
        let key = rejection.bucket.key;
        let known = self.0.get(&key);
        let row = known.as_ref().map(|entry| Arc::clone(&entry.row)).unwrap_or_default();
        if known.is_none_or(|entry| !entry.counts_at(now) || entry.rejection != *rejection) {
            let is_cleared_elsewhere = rejection.bucket.kind.counts_failures();
            let expires_at =
                if is_cleared_elsewhere { rejection.until.min(now + MAX_AGE) } else { rejection.until };
            let entry = Entry { rejection: *rejection, recorded_at: now, expires_at, row: Arc::clone(&row) };
            self.0.insert(key, entry);
        }
        let in_a_row = row.count.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let banned_until = OffsetDateTime::from_unix_timestamp(row.banned_until.load(Ordering::Relaxed)).ok();
        Ban::for_rejections(rejection, in_a_row, banned_until, now)
    }

    /// Stores that a ban was set for the rejections of a bucket.
    pub(super) fn record_ban(&self, key: &BucketKey, ban: &Ban) {
        if let Some(entry) = self.0.get(key) {
            entry.row.banned_until.store(ban.until.unix_timestamp(), Ordering::Relaxed);
        }
    }

    /// Forgets the rejections of buckets that have admitted an attempt.
    pub(super) fn forget<'a>(&self, buckets: impl Iterator<Item = &'a Bucket>) {
        for bucket in buckets {
            self.0.remove(&bucket.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use edgeward_wire::Network;

    use super::*;
    use crate::domain::guard::{BucketState, Kind, Limit};

    const NOW: OffsetDateTime = time::macros::datetime!(2030-01-01 00:00 UTC);

    /// Returns the rejection by an empty bucket that admits an attempt each minute.
    fn rejection(kind: Kind, now: OffsetDateTime) -> AttemptRejection {
        let network = Some(Network::of("203.0.113.7".parse().unwrap(), 32));
        let bucket = Bucket { kind, key: [kind as u8; 17], limit: Limit::parse("10/10m").unwrap(), network };
        let state = BucketState { arrival: NOW + Duration::minutes(10), failures: 0 };
        AttemptRejection::new(bucket, state, now)
    }

    #[test]
    fn rejection_counts_until_an_attempt_is_back_and_of_an_account_two_seconds() {
        for (kind, seconds) in [(Kind::Address, 60), (Kind::Account, 2)] {
            let rejections = RecentRejections::default();
            let bucket = rejection(kind, NOW).bucket;
            let counts = |now| rejections.find(&[bucket], now).is_some();
            let age = Duration::seconds(seconds);
            rejections.record(&rejection(kind, NOW), NOW);
            assert!(counts(NOW) && counts(NOW + age - Duration::MILLISECOND) && !counts(NOW + age));
            if kind == Kind::Account {
                rejections.record(&rejection(kind, NOW + age), NOW + age);
                assert!(counts(NOW + age), "the row has said the same again");
            }
            rejections.forget([bucket].iter());
            assert!(!counts(NOW));
        }
    }

    #[test]
    fn rejection_of_a_clock_that_was_ahead_does_not_count() {
        let rejections = RecentRejections::default();
        let bucket = rejection(Kind::Address, NOW).bucket;
        rejections.record(&rejection(Kind::Address, NOW), NOW);
        assert!(rejections.find(&[bucket], NOW - Duration::SECOND).is_none());
        let now = NOW - Duration::weeks(52);
        rejections.record(&rejection(Kind::Address, now), now);
        assert!(rejections.find(&[bucket], now).is_some());
        assert!(rejections.find(&[bucket], now + Duration::MINUTE).is_none());
    }

    #[test]
    fn ban_that_was_not_set_is_tried_again_twenty_rejections_later() {
        let rejections = RecentRejections::default();
        let rejection = rejection(Kind::Address, NOW);
        let mut bans = (0..50).map(|_| rejections.record(&rejection, NOW));
        let at: Vec<usize> = bans.by_ref().enumerate().filter_map(|(at, ban)| ban.map(|_| at + 1)).collect();
        assert_eq!(at, [20, 40]);
        let ban = (0..10).find_map(|_| rejections.record(&rejection, NOW)).expect("the 60th bans");
        rejections.record_ban(&rejection.bucket.key, &ban);
        assert!((0..100).all(|_| rejections.record(&rejection, NOW).is_none()));
    }
}
