//! Tests of the data that workers share: what one worker writes, the others read, in any order.

use super::*;
use crate::feed::fake::{Memory, NOW, settings};

const MILLI: Duration = Duration::from_millis(1);

fn relay(worker: u64) -> Relay {
    Relay::new(&settings(), worker)
}

fn offset(number: u32, cursor: &str) -> FeedOffset {
    FeedOffset { number, cursor: cursor.into() }
}

#[test]
fn lease_is_one_workers_until_a_second_has_passed() {
    let mut shared = Memory::default();
    for (worker, after_ms, expected) in [
        (1, 0, true),
        (2, 0, false),
        (2, 999, false),
        (1, 999, true),
        (2, 1998, false),
        (2, 1999, true),
        (1, 1999, false),
    ] {
        let is_acquired = relay(worker).try_acquire_lease(&mut shared, NOW + after_ms * MILLI);
        assert_eq!(is_acquired, expected, "worker {worker} after {after_ms} ms");
    }
}

#[test]
fn lease_of_a_clock_that_was_set_back_is_free() {
    let mut shared = Memory::default();
    assert!(relay(1).try_acquire_lease(&mut shared, NOW));
    assert!(!relay(2).try_acquire_lease(&mut shared, NOW.saturating_sub(1000 * MILLI)));
    assert!(relay(2).try_acquire_lease(&mut shared, NOW.saturating_sub(1001 * MILLI)));
}

/// Shared data to which another worker writes whenever this one has read.
struct Contended {
    memory: Memory,
    key: String,
    value: Vec<u8>,
    /// `true` if the other worker writes just after this one, `false` if just before.
    writes_after: bool,
}

impl Contended {
    /// Another worker acquires the lease at the same time.
    fn lease(memory: Memory, writes_after: bool) -> Self {
        let value = [2_u64.to_le_bytes(), (millis(NOW) + 1000).to_le_bytes()].concat();
        Self { memory, key: format!("{} lease", relay(1).name), value, writes_after }
    }
}

impl SharedData for Contended {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.memory.get(key)
    }

    fn set(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        let mut writes =
            [(self.key.clone(), self.value.clone(), 0), (key.to_owned(), value.to_vec(), version)];
        if self.writes_after {
            writes.reverse();
        }
        writes.iter().all(|(key, value, version)| self.memory.set(key, value, *version))
    }
}

#[test]
fn one_of_two_workers_that_write_at_once_has_the_lease() {
    let mut expired = Memory::default();
    assert!(relay(3).try_acquire_lease(&mut expired, NOW.saturating_sub(2000 * MILLI)));
    for (memory, writes_after, expected, case) in [
        (Memory::default(), true, false, "the first lease, and the other writes last"),
        (Memory::default(), false, true, "the first lease, and the other writes first"),
        (expired, false, false, "an expired lease, and the other writes first"),
    ] {
        let mut shared = Contended::lease(memory, writes_after);
        assert_eq!(relay(1).try_acquire_lease(&mut shared, NOW), expected, "{case}");
    }
}

#[test]
fn published_responses_are_read_in_order_by_every_worker() {
    let mut shared = Memory::default();
    assert_eq!(relay(1).last(&shared), FeedOffset::default());
    let first = relay(1).publish(&mut shared, &FeedOffset::default(), "c1", 100, b"one").unwrap();
    let second = relay(2).publish(&mut shared, &first, "c2", 101, b"two").unwrap();
    assert_eq!((&first, &second), (&offset(1, "c1"), &offset(2, "c2")));
    let reader = relay(3);
    assert_eq!(reader.last(&shared), second);
    let read = |after| reader.read_after(&shared, &after);
    let entry = |received_at, body: &[u8]| Some(FeedEntry { received_at, body: body.to_vec() });
    assert_eq!(read(FeedOffset::default()), entry(100, b"one"));
    assert_eq!(read(first), entry(101, b"two"));
    assert_eq!(read(second), None);
    assert_eq!(read(offset(1, "c0")), None, "the second was requested with another cursor");
}

#[test]
fn response_that_does_not_follow_the_last_is_not_published() {
    let mut shared = Memory::default();
    let first = relay(1).publish(&mut shared, &FeedOffset::default(), "c1", 100, b"one").unwrap();
    for after in [FeedOffset::default(), offset(1, "c0"), offset(2, "c1")] {
        assert_eq!(relay(2).publish(&mut shared, &after, "c9", 101, b"two"), None, "{after:?}");
    }
    assert_eq!(relay(1).last(&shared), first);
    // Another worker publishes between the reading of the last offset and the writing of this one.
    let head = [&2_u32.to_le_bytes()[..], b"c2"].concat();
    let mut contended =
        Contended { memory: shared, key: relay(1).head_key(), value: head, writes_after: false };
    assert_eq!(relay(1).publish(&mut contended, &first, "c3", 102, b"three"), None);
    assert_eq!(relay(1).last(&contended), offset(2, "c2"));
}

#[test]
fn last_16_responses_are_kept_and_older_ones_are_not() {
    let mut shared = Memory::default();
    let mut offsets = vec![FeedOffset::default()];
    for number in 1..=40_u32 {
        let cursor = format!("c{number}");
        let after = offsets.last().unwrap();
        offsets.push(relay(1).publish(&mut shared, after, &cursor, 100, cursor.as_bytes()).unwrap());
    }
    for (number, after) in offsets.iter().take(40).enumerate() {
        let is_kept = relay(2).read_after(&shared, after).is_some();
        assert_eq!(is_kept, number >= 24, "after {number}");
    }
    assert_eq!(shared.0.len(), 17, "the responses and the last offset");
}

#[test]
fn shared_data_that_is_cut_or_foreign_is_not_read() {
    let mut shared = Memory::default();
    let relay = relay(1);
    relay.publish(&mut shared, &FeedOffset::default(), "c1", 100, b"").unwrap();
    relay.store_keys(&mut shared, 100, b"");
    let (slot, _) = shared.get(&relay.slot_key(1)).unwrap();
    for len in 0..slot.len() {
        shared.set(&relay.slot_key(1), &slot[..len], 0);
        assert_eq!(relay.read_after(&shared, &FeedOffset::default()), None, "{len} bytes");
    }
    for key in [relay.head_key(), relay.keys_key(), format!("{} lease", relay.name)] {
        shared.set(&key, b"abc", 0);
    }
    assert_eq!(relay.last(&shared), FeedOffset::default());
    assert_eq!(relay.keys(&shared), None);
    assert!(relay.try_acquire_lease(&mut shared, NOW));
}

#[test]
fn keys_are_those_of_the_same_feed() {
    let mut shared = Memory::default();
    relay(1).store_keys(&mut shared, 100, b"one");
    relay(2).store_keys(&mut shared, 101, b"two");
    assert_eq!(relay(3).keys(&shared), Some(FeedEntry { received_at: 101, body: b"two".to_vec() }));
    let other = Relay::new(&Feed { cluster: "elsewhere".into(), ..settings() }, 1);
    assert_eq!(other.keys(&shared), None);
}
