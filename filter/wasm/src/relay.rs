//! What the workers of a proxy leave each other in its shared data: whose turn it is to ask the feed, and what the
//! feed answered. All of it is of bounded size, for nothing is ever removed there.
//!
//! Answers are numbered from 1. Each was asked for with the cursor of the one before, and says so: whoever has heard
//! all up to one of them knows all that was to be known then. The last few are kept; who was away for longer, or finds
//! the chain broken because two workers asked at once, asks by itself.

use std::time::Duration;

use crate::host;
use edgeward_filter::config::Feed;

/// How many answers are kept.
const KEPT: u32 = 16;
/// How long nobody else asks after the one whose turn it is was last alive.
const LEASE: Duration = Duration::from_secs(1);

/// One proxy's place for one feed, as one worker sees it.
pub(crate) struct Relay {
    /// Another feed's answers are not ours.
    name: String,
    /// Tells this worker from the others.
    worker: u64,
}

/// An answer's place among the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number, 0 before the first.
    pub(crate) number: u32,
    /// Where the feed goes on after it.
    pub(crate) cursor: String,
}

/// An answer that was left by the worker that got it.
pub(crate) struct Left {
    /// When it came, in seconds since 1970.
    pub(crate) heard_at: u64,
    pub(crate) body: Vec<u8>,
}

const NUMBER_BYTES: usize = 4;
const TIME_BYTES: usize = 8;

impl Relay {
    pub(crate) fn new(feed: &Feed, worker: u64) -> Self {
        Self { name: format!("edgeward.feed {} {}", feed.cluster, feed.path), worker }
    }

    /// Whether it is this worker's turn to ask, for as long as it says so again within a second.
    pub(crate) fn leads(&self, now: Duration) -> bool {
        let key = format!("{} lease", self.name);
        let now_ms = millis(now);
        let (owner, until, version) = match host::shared_data(&key) {
            Some((lease, version)) => {
                let numbers = lease.split_first_chunk().map(|(owner, until)| {
                    (u64::from_le_bytes(*owner), until.try_into().map_or(0, u64::from_le_bytes))
                });
                let (owner, until) = numbers.unwrap_or_default();
                (owner, until, version)
            }
            None => (0, 0, 0),
        };
        // A lease that ends much later than any would is of a clock that was set back.
        let is_free = until <= now_ms || until > now_ms + 2 * millis(LEASE);
        if owner != self.worker && !is_free {
            return false;
        }
        let lease = [self.worker.to_le_bytes(), (now_ms + millis(LEASE)).to_le_bytes()].concat();
        // Where there was none, the host lets two workers write at once, and the later one has it.
        host::set_shared_data(&key, &lease, version)
            && (version != 0 || host::shared_data(&key).is_some_and(|(written, _)| written == lease))
    }

    /// The place of the last answer.
    pub(crate) fn last(&self) -> Place {
        self.head().0
    }

    /// The same, and the version of what says so.
    fn head(&self) -> (Place, u32) {
        let (head, version) = host::shared_data(&format!("{} head", self.name)).unwrap_or_default();
        let place = head.split_first_chunk().map(|(number, cursor)| Place {
            number: u32::from_le_bytes(*number),
            cursor: String::from_utf8_lossy(cursor).into_owned(),
        });
        (place.unwrap_or_default(), version)
    }

    /// The answer that follows on the one at `after`, while it is kept.
    pub(crate) fn read(&self, after: &Place) -> Option<Left> {
        let next = after.number.wrapping_add(1);
        let (slot, _) = host::shared_data(&self.slot(next))?;
        let (number, rest) = slot.split_first_chunk::<NUMBER_BYTES>()?;
        let (heard_at, rest) = rest.split_first_chunk::<TIME_BYTES>()?;
        let (cursor_len, rest) = rest.split_first_chunk::<NUMBER_BYTES>()?;
        let (cursor, body) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*cursor_len)).ok()?)?;
        let follows = u32::from_le_bytes(*number) == next && cursor == after.cursor.as_bytes();
        follows.then(|| Left { heard_at: u64::from_le_bytes(*heard_at), body: body.to_vec() })
    }

    /// Leaves the answer that follows on the one at `after`, unless another worker has left one. Gives its place.
    pub(crate) fn leave(&self, after: &Place, cursor: &str, heard_at: u64, body: &[u8]) -> Option<Place> {
        let (last, version) = self.head();
        if last != *after {
            return None;
        }
        let place = Place { number: after.number.wrapping_add(1), cursor: cursor.to_owned() };
        let (number, heard_at, before) =
            (place.number.to_le_bytes(), heard_at.to_le_bytes(), after.cursor.as_bytes());
        let before_len = u32::try_from(before.len()).ok()?.to_le_bytes();
        let slot = [&number[..], &heard_at, &before_len, before, body].concat();
        let head = [&number, cursor.as_bytes()].concat();
        // The answer first: whoever sees its number finds it.
        let left = host::set_shared_data(&self.slot(place.number), &slot, 0)
            && host::set_shared_data(&format!("{} head", self.name), &head, version);
        left.then_some(place)
    }

    /// The last answer that had keys in it, and when it came.
    pub(crate) fn keys(&self) -> Option<Left> {
        let (left, _) = host::shared_data(&format!("{} keys", self.name))?;
        let (heard_at, body) = left.split_first_chunk()?;
        Some(Left { heard_at: u64::from_le_bytes(*heard_at), body: body.to_vec() })
    }

    /// Leaves an answer that has keys in it, for whoever starts after us.
    pub(crate) fn leave_keys(&self, heard_at: u64, body: &[u8]) {
        let left = [&heard_at.to_le_bytes()[..], body].concat();
        host::set_shared_data(&format!("{} keys", self.name), &left, 0);
    }

    fn slot(&self, number: u32) -> String {
        format!("{} {}", self.name, number % KEPT)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
