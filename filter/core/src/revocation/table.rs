//! Sorted table of IDs that expire, in as little memory as a worker can afford.

use std::sync::Arc;

/// Maximum number of entries of a block. Chosen: few enough to be shifted, enough for a short list of blocks.
const BLOCK: usize = 256;
/// Number of entries by which a full block grows.
const ROOM: usize = 16;

/// Map from IDs to values with a time until which each is kept: a sorted list of short sorted blocks. A million entries
/// without a value take 8 to 10 bytes each, because little room is reserved, and none of them moves far when another
/// is inserted or removed. A clone shares the blocks until one of the two changes them.
#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    /// Blocks in the order of their IDs, none of them empty.
    pub(super) blocks: Vec<Arc<Block<V>>>,
    /// Number of entries.
    pub(super) len: usize,
    /// Index of the block that is swept next.
    sweep_at: usize,
}

/// Entries whose IDs have the same upper half.
#[derive(Clone, Debug)]
pub(super) struct Block<V> {
    upper: u32,
    entries: Vec<Entry<V>>,
}

/// Entry of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<V> {
    /// Lower half of the ID.
    lower: u32,
    /// Last second in which the entry is needed, since 1970.
    until: u32,
    value: V,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { blocks: Vec::new(), len: 0, sweep_at: 0 }
    }
}

impl<V: Copy + Ord> Table<V> {
    /// Inserts an ID. An ID that is present keeps the later time and the larger value.
    pub(super) fn insert(&mut self, id: u64, until: u32, value: V) {
        let (upper, lower) = halves(id);
        let entry = Entry { lower, until, value };
        let at = self.block_for(upper, lower);
        let Some(block) = self.blocks.get_mut(at).filter(|block| block.upper == upper) else {
            let after = self.blocks_before(upper, lower);
            self.blocks.insert(after, Arc::new(Block { upper, entries: vec![entry] }));
            self.len += 1;
            return;
        };
        let entries = &mut Arc::make_mut(block).entries;
        match entries.binary_search_by_key(&lower, |entry| entry.lower) {
            Ok(found) => {
                if let Some(entry) = entries.get_mut(found) {
                    entry.until = entry.until.max(until);
                    entry.value = entry.value.max(value);
                }
            }
            Err(place) => {
                if entries.len() == entries.capacity() {
                    entries.reserve_exact(ROOM);
                }
                entries.insert(place, entry);
                self.len += 1;
                if entries.len() > BLOCK {
                    // IDs that only grow, such as those of new sessions, leave full blocks behind.
                    let half = if place == BLOCK { BLOCK } else { BLOCK / 2 };
                    let following = entries.split_off(half);
                    entries.shrink_to_fit();
                    self.blocks.insert(at + 1, Arc::new(Block { upper, entries: following }));
                }
            }
        }
    }

    /// Returns the value of an ID. An entry is found until it is swept, which may be after its time.
    pub(super) fn find(&self, id: u64) -> Option<V> {
        let (upper, lower) = halves(id);
        let block = self.blocks.get(self.block_for(upper, lower)).filter(|block| block.upper == upper)?;
        let found = block.entries.binary_search_by_key(&lower, |entry| entry.lower).ok()?;
        block.entries.get(found).map(|entry| entry.value)
    }

    /// Returns the index of the block that an ID of these halves is in, or belongs into, if there is one of its upper half.
    fn block_for(&self, upper: u32, lower: u32) -> usize {
        let before = self.blocks_before(upper, lower);
        // An ID below all others of its upper half belongs into the block after it.
        let is_of_half = |block: &Arc<Block<V>>| block.upper == upper;
        before.checked_sub(1).filter(|&at| self.blocks.get(at).is_some_and(is_of_half)).unwrap_or(before)
    }

    /// Returns the number of blocks that begin with an ID up to the one of these halves.
    fn blocks_before(&self, upper: u32, lower: u32) -> usize {
        let first = |block: &Block<V>| (block.upper, block.entries.first().map_or(0, |entry| entry.lower));
        self.blocks.partition_point(|block| first(block) <= (upper, lower))
    }

    /// Removes the entries whose time is over at `now`, in seconds since 1970, from one block in 64. So each call is
    /// short, and 64 calls sweep all blocks.
    pub(super) fn sweep(&mut self, now: u64) {
        for _ in 0..=self.blocks.len() / 64 {
            if self.sweep_at >= self.blocks.len() {
                self.sweep_at = 0;
            }
            let Some(block) = self.blocks.get_mut(self.sweep_at) else { return };
            let is_over = |entry: &Entry<V>| u64::from(entry.until) < now;
            let over = block.entries.iter().filter(|entry| is_over(entry)).count();
            self.len -= over;
            if over == block.entries.len() {
                self.blocks.remove(self.sweep_at);
                continue;
            }
            if over > 0 {
                let entries = &mut Arc::make_mut(block).entries;
                entries.retain(|entry| !is_over(entry));
                entries.shrink_to_fit();
            }
            self.sweep_at += 1;
        }
    }
}

/// Splits an ID into its upper and its lower half, which sort like the ID.
const fn halves(id: u64) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "each half is cut to its 32 bits on purpose")]
    ((id >> 32) as u32, id as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: u32 = 1_800_003_600;

    #[test]
    fn table_finds_the_same_as_a_map_in_any_order_of_insertion() {
        // A full cycle through the numbers below 2^17, in an order that looks like none.
        let scattered = (0..1_u64 << 17).map(|at| (at * 77_773 + 5) % (1 << 17));
        for numbers in [(0..100_000).collect::<Vec<u64>>(), scattered.collect(), (0..5000).rev().collect()] {
            let mut table = Table::default();
            for &number in &numbers {
                table.insert(number * 3, UNTIL, number);
            }
            assert_eq!(table.len, numbers.len());
            assert!(numbers.iter().all(|&number| table.find(number * 3) == Some(number)));
            assert!(numbers.iter().all(|&number| table.find(number * 3 + 1).is_none()));
        }
    }

    #[test]
    fn ids_of_several_upper_halves_are_found() {
        const UPPER: u64 = 1 << 32;
        let ids = [0, 1, UPPER - 1, UPPER, UPPER + 1, 7 * UPPER, 7 * UPPER + 5, u64::MAX - 1, u64::MAX];
        for first in 0..ids.len() {
            let mut table = Table::default();
            let order = (0..ids.len()).map(|at| ids[(first + at * 4) % ids.len()]);
            order.for_each(|id| table.insert(id, UNTIL, id));
            assert_eq!(table.len, ids.len());
            for id in ids {
                assert_eq!(table.find(id), Some(id));
                assert_eq!(table.find(id ^ (1 << 40)), None);
            }
        }
    }

    // holds: invariant 3, promise 6
    #[test]
    fn entries_take_less_than_11_bytes_each() {
        let bytes = |table: &Table<()>| {
            let blocks =
                table.blocks.iter().map(|block| block.entries.capacity() * size_of::<Entry<()>>() + 48 + 8);
            blocks.sum::<usize>() / table.len
        };
        let (mut ascending, mut scattered) = (Table::default(), Table::default());
        for at in 0..1_u64 << 17 {
            ascending.insert(at, UNTIL, ());
            scattered.insert((at * 77_773 + 5) % (1 << 17), UNTIL, ());
        }
        assert!(
            bytes(&ascending) < 11 && bytes(&scattered) < 11,
            "{} {}",
            bytes(&ascending),
            bytes(&scattered)
        );
    }
}
