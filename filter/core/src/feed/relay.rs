//! Relay between the workers of a proxy, in the data that they share: a lease of the worker that polls, and the
//! responses that it received. Its size is bounded, because shared data is never removed.
//!
//! Responses are numbered from 1. Each was requested with the cursor of the one before, and carries that cursor: a
//! worker that has applied all responses up to a number has applied everything that the feed had by then. The last
//! `KEPT` are kept. A worker that was away for longer catches up by polls of its own. So does one whose chain of
//! responses is broken, because two workers polled at once.

use std::time::Duration;

use crate::config::Feed;

/// Number of responses that are kept. Chosen: at one poll a second, 16 s of absence, which is more than a worker that
/// is alive needs.
const KEPT: u32 = 16;
/// Time for which no other worker polls after the one with the lease was last alive. Chosen: ten ticks.
const LEASE: Duration = Duration::from_secs(1);

/// Time after which a worker that does not report any more is taken to have ended without notice, in seconds. Chosen: an alert
/// fires within it.
const ENDED_AFTER_S: u64 = 300;
/// Maximum number of workers that report. Chosen: several times the processors of a large machine.
const MAX_WORKERS: usize = 1024;
/// Number of attempts to write a report, while other workers write theirs.
const REPORT_ATTEMPTS: usize = 3;

const NUMBER_BYTES: usize = 4;
const TIME_BYTES: usize = 8;

/// Data that the workers of a proxy share: the host's side.
pub trait SharedData {
    /// Returns the value of a key and its version, which is not 0.
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Sets the value of a key, if `version` is its current one, or unconditionally if `version` is 0. Returns
    /// `false` if another worker was faster.
    fn set(&mut self, key: &str, value: &[u8], version: u32) -> bool;
}

/// Relay of one feed, as one worker uses it.
#[derive(Debug)]
pub(super) struct Relay {
    /// Prefix of all keys. Another feed has another one.
    name: String,
    /// Number that distinguishes this worker from the others.
    worker: u64,
}

/// Report of a worker: its number, the time at which its state was current, and the time of the report, in seconds since 1970.
type Report = (u64, u64, u64);

/// Position in the sequence of responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FeedOffset {
    /// Number of the last response, 0 before the first.
    pub(super) number: u32,
    /// Cursor of that response: where the feed continues.
    pub(super) cursor: String,
}

/// Response in the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedEntry {
    /// Time at which a worker received it, in seconds since 1970.
    pub(super) received_at: u64,
    /// Body.
    pub(super) body: Vec<u8>,
}

impl Relay {
    /// Opens the relay of a feed. `worker` is a random number.
    pub(super) fn new(feed: &Feed, worker: u64) -> Self {
        Self { name: format!("edgeward.feed {} {}", feed.cluster, feed.path), worker }
    }

    /// Takes or extends the lease. Returns `true` if this worker is the one that polls for all: until [`LEASE`] has
    /// passed without another call.
    pub(super) fn try_acquire_lease(&self, shared: &mut impl SharedData, now: Duration) -> bool {
        let key = format!("{} lease", self.name);
        let (lease, version) = shared.get(&key).unwrap_or_default();
        let numbers = lease.split_first_chunk().map(|(owner, until)| {
            (u64::from_le_bytes(*owner), until.try_into().map_or(0, u64::from_le_bytes))
        });
        let (owner, until_ms) = numbers.unwrap_or_default();
        let (now_ms, lease_ms) = (millis(now), millis(LEASE));
        // A lease that ends much later than any can was written before the clock was set back.
        let is_free = until_ms <= now_ms || until_ms > now_ms + 2 * lease_ms;
        if owner != self.worker && !is_free {
            return false;
        }
        let lease = [self.worker.to_le_bytes(), (now_ms + lease_ms).to_le_bytes()].concat();
        // A set of version 0 is unconditional, so that two workers can both write the first lease: the later one has it.
        shared.set(&key, &lease, version)
            && (version != 0 || shared.get(&key).is_some_and(|(written, _)| written == lease))
    }

    /// Reports that this worker's state was current at `current_at`, to the other workers. Returns the earliest such time of
    /// all workers that have reported lately. Both and `now` are in seconds since 1970.
    pub(super) fn report(&self, shared: &mut impl SharedData, current_at: u64, now: u64) -> u64 {
        let own = (self.worker, current_at, now);
        let mut earliest = current_at;
        for _ in 0..REPORT_ATTEMPTS {
            let (mut reports, version) = self.reports(shared);
            reports.retain(|(worker, _, at)| *worker != self.worker && at.abs_diff(now) <= ENDED_AFTER_S);
            earliest = reports.iter().map(|(_, current_at, _)| *current_at).fold(current_at, u64::min);
            reports.truncate(MAX_WORKERS - 1);
            reports.push(own);
            if shared.set(&self.reports_key(), &write_reports(&reports), version) {
                break;
            }
        }
        earliest
    }

    /// Takes back the report of this worker, which does not follow the feed any more.
    pub(super) fn withdraw_report(&self, shared: &mut impl SharedData) {
        for _ in 0..REPORT_ATTEMPTS {
            let (mut reports, version) = self.reports(shared);
            reports.retain(|(worker, ..)| *worker != self.worker);
            if shared.set(&self.reports_key(), &write_reports(&reports), version) {
                break;
            }
        }
    }

    /// Returns the reports of all workers, and the version of the value that they are in.
    fn reports(&self, shared: &impl SharedData) -> (Vec<Report>, u32) {
        let (bytes, version) = shared.get(&self.reports_key()).unwrap_or_default();
        let (numbers, _) = bytes.as_chunks();
        let numbers: Vec<u64> = numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
        let (reports, _) = numbers.as_chunks();
        (reports.iter().map(|&[worker, current_at, at]| (worker, current_at, at)).collect(), version)
    }

    /// Returns the offset of the last response.
    pub(super) fn last(&self, shared: &impl SharedData) -> FeedOffset {
        self.head(shared).0
    }

    /// Returns the offset of the last response, and the version of the value that it is in.
    fn head(&self, shared: &impl SharedData) -> (FeedOffset, u32) {
        let (head, version) = shared.get(&self.head_key()).unwrap_or_default();
        let offset = head.split_first_chunk().map(|(number, cursor)| FeedOffset {
            number: u32::from_le_bytes(*number),
            cursor: String::from_utf8_lossy(cursor).into_owned(),
        });
        (offset.unwrap_or_default(), version)
    }

    /// Returns the response that follows `after`, if it is kept and was requested with that cursor.
    pub(super) fn read_after(&self, shared: &impl SharedData, after: &FeedOffset) -> Option<FeedEntry> {
        let next = after.number.wrapping_add(1);
        let (slot, _) = shared.get(&self.slot_key(next))?;
        let (number, rest) = slot.split_first_chunk::<NUMBER_BYTES>()?;
        let (received_at, rest) = rest.split_first_chunk::<TIME_BYTES>()?;
        let (cursor_len, rest) = rest.split_first_chunk::<NUMBER_BYTES>()?;
        let (cursor, body) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*cursor_len)).ok()?)?;
        let follows = u32::from_le_bytes(*number) == next && cursor == after.cursor.as_bytes();
        follows.then(|| FeedEntry { received_at: u64::from_le_bytes(*received_at), body: body.to_vec() })
    }

    /// Publishes the response that follows `after`, with its cursor and the time at which it was received. Returns its
    /// offset, or `None` if another worker has published one.
    pub(super) fn publish(
        &self,
        shared: &mut impl SharedData,
        after: &FeedOffset,
        cursor: &str,
        received_at: u64,
        body: &[u8],
    ) -> Option<FeedOffset> {
        let (last, version) = self.head(shared);
        if last != *after {
            return None;
        }
        let offset = FeedOffset { number: after.number.wrapping_add(1), cursor: cursor.to_owned() };
        let (number, received_at) = (offset.number.to_le_bytes(), received_at.to_le_bytes());
        let requested_with = after.cursor.as_bytes();
        let cursor_len = u32::try_from(requested_with.len()).ok()?.to_le_bytes();
        let slot = [&number[..], &received_at, &cursor_len, requested_with, body].concat();
        let head = [&number, cursor.as_bytes()].concat();
        // The response first: a worker that sees its number must find it.
        let is_set = shared.set(&self.slot_key(offset.number), &slot, 0)
            && shared.set(&self.head_key(), &head, version);
        is_set.then_some(offset)
    }

    /// Returns the last response that had a key set.
    pub(super) fn keys(&self, shared: &impl SharedData) -> Option<FeedEntry> {
        let (keys, _) = shared.get(&self.keys_key())?;
        let (received_at, body) = keys.split_first_chunk()?;
        Some(FeedEntry { received_at: u64::from_le_bytes(*received_at), body: body.to_vec() })
    }

    /// Stores a response that has a key set, for workers that start later.
    pub(super) fn store_keys(&self, shared: &mut impl SharedData, received_at: u64, body: &[u8]) {
        let keys = [&received_at.to_le_bytes()[..], body].concat();
        shared.set(&self.keys_key(), &keys, 0);
    }

    fn head_key(&self) -> String {
        format!("{} head", self.name)
    }

    fn keys_key(&self) -> String {
        format!("{} keys", self.name)
    }

    fn reports_key(&self) -> String {
        format!("{} workers", self.name)
    }

    fn slot_key(&self, number: u32) -> String {
        format!("{} {}", self.name, number % KEPT)
    }
}

fn write_reports(reports: &[Report]) -> Vec<u8> {
    let numbers = reports.iter().flat_map(|&(worker, current_at, at)| [worker, current_at, at]);
    numbers.flat_map(u64::to_le_bytes).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
