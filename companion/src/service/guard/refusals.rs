//! Refusals that need no SQL: Postgres has refused the bucket shortly before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use quick_cache::sync::Cache;
use time::{Duration, OffsetDateTime};

use crate::domain::guard::{Bucket, BucketKey, Refusal};

/// Maximum number of refusals that are stored. Chosen: some 2 MiB. Beyond it, the statement refuses.
const CAPACITY: usize = 10_000;
/// Maximum time for which a refusal of an account counts without a look at its row: a login, a new password or an
/// operator may have cleared it by way of another companion. The row of an address is never cleared.
const MAX_AGE: Duration = Duration::seconds(2);

/// Last refusals of this process, by bucket.
pub(super) struct Refusals(Cache<BucketKey, Entry>);

#[derive(Clone)]
struct Entry {
    refusal: Refusal,
    /// Time from which on the row decides again.
    expires_at: OffsetDateTime,
    in_a_row: Arc<AtomicU32>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Refusals {
    /// Finds a bucket that refuses at `now`.
    pub(super) fn find(&self, buckets: &[Bucket], now: OffsetDateTime) -> Option<Refusal> {
        let entry = |bucket: &Bucket| self.0.get(&bucket.key).filter(|entry| now < entry.expires_at);
        buckets.iter().find_map(entry).map(|entry| entry.refusal)
    }

    /// Stores a refusal, and returns the number of refusals of the bucket in a row.
    pub(super) fn record(&self, refusal: &Refusal, now: OffsetDateTime) -> u32 {
        let key = refusal.bucket.key;
        let known = self.0.get(&key);
        let in_a_row = known.as_ref().map(|entry| Arc::clone(&entry.in_a_row)).unwrap_or_default();
        if known.is_none_or(|entry| entry.refusal != *refusal) {
            let is_cleared_elsewhere = refusal.bucket.kind.counts_failures();
            let expires_at =
                if is_cleared_elsewhere { refusal.until.min(now + MAX_AGE) } else { refusal.until };
            self.0.insert(key, Entry { refusal: *refusal, expires_at, in_a_row: Arc::clone(&in_a_row) });
        }
        in_a_row.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Forgets the refusals of buckets that have admitted an attempt.
    pub(super) fn forget<'a>(&self, buckets: impl Iterator<Item = &'a Bucket>) {
        for bucket in buckets {
            self.0.remove(&bucket.key);
        }
    }
}
