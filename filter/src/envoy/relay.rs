//! What the workers of a proxy leave each other in its shared data: whose turn it is to ask the feed, and what the
//! feed answered. All of it is of bounded size, for nothing is ever removed there.
//!
//! Answers are numbered from 1. Each was asked for with the cursor of the one before, so whoever has heard all up
//! to one of them knows all that was to be known then. The last few are kept; who was away for longer asks by itself.

use std::time::Duration;

use super::host;
use crate::config::Feed;

/// How many answers are kept.
const KEPT: u32 = 16;
/// How long nobody else asks after the one whose turn it is was last alive.
const LEASE: Duration = Duration::from_secs(1);

/// One proxy's place for one feed, as one worker sees it.
pub(super) struct Relay {
    /// Another feed's answers are not ours.
    name: String,
    /// Tells this worker from the others.
    worker: u64,
}

/// An answer's place among the answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Its number, 0 before the first.
    pub(super) number: u32,
    /// Where the feed goes on after it.
    pub(super) cursor: String,
}

/// An answer that was left by the worker that got it.
pub(super) struct Left {
    /// When it came, in seconds since 1970.
    pub(super) heard_at: u64,
    pub(super) body: Vec<u8>,
}

impl Relay {
    pub(super) fn new(feed: &Feed, worker: u64) -> Self {
        Self { name: format!("edgeward.feed {} {}", feed.cluster, feed.path), worker }
    }

    /// Whether it is this worker's turn to ask, for as long as it says so again within a second.
    pub(super) fn leads(&self, now: Duration) -> bool {
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
        host::set_shared_data(&key, &lease, version)
    }

    /// The place of the last answer.
    pub(super) fn last(&self) -> Place {
        let head =
            host::shared_data(&format!("{} head", self.name)).map(|(head, _)| head).unwrap_or_default();
        let place = head.split_first_chunk().map(|(number, cursor)| Place {
            number: u32::from_le_bytes(*number),
            cursor: String::from_utf8_lossy(cursor).into_owned(),
        });
        place.unwrap_or_default()
    }

    /// The answer of this number, while it is kept.
    pub(super) fn read(&self, number: u32) -> Option<Left> {
        let (slot, _) = host::shared_data(&self.slot(number))?;
        let (found, rest) = slot.split_first_chunk()?;
        let (heard_at, body) = rest.split_first_chunk()?;
        (u32::from_le_bytes(*found) == number)
            .then(|| Left { heard_at: u64::from_le_bytes(*heard_at), body: body.to_vec() })
    }

    /// Leaves the answer that follows on the one at `after`, unless another worker has left one. Gives its place.
    pub(super) fn leave(&self, after: &Place, cursor: &str, heard_at: u64, body: &[u8]) -> Option<Place> {
        if self.last().number != after.number {
            return None;
        }
        let place = Place { number: after.number.wrapping_add(1), cursor: cursor.to_owned() };
        let number = place.number.to_le_bytes();
        // The answer first: whoever sees its number finds it.
        host::set_shared_data(
            &self.slot(place.number),
            &[&number, &heard_at.to_le_bytes()[..], body].concat(),
            0,
        );
        host::set_shared_data(&format!("{} head", self.name), &[&number, cursor.as_bytes()].concat(), 0);
        Some(place)
    }

    /// The last answer that had keys in it, and when it came.
    pub(super) fn keys(&self) -> Option<Left> {
        let (left, _) = host::shared_data(&format!("{} keys", self.name))?;
        let (heard_at, body) = left.split_first_chunk()?;
        Some(Left { heard_at: u64::from_le_bytes(*heard_at), body: body.to_vec() })
    }

    /// Leaves an answer that has keys in it, for whoever starts after us.
    pub(super) fn leave_keys(&self, heard_at: u64, body: &[u8]) {
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
