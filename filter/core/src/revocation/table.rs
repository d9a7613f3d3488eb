//! Sorted table of IDs that expire, in as little memory as a worker can afford.

use std::sync::Arc;

/// Maximum number of entries of a block. Chosen: few enough to be shifted, enough for a short list of blocks.
const BLOCK: usize = 256;
/// Number of entries by which a full block grows.
const ROOM: usize = 16;

/// Map from IDs to values with a time until which each is kept: a sorted list of short sorted blocks. A million entries
/// without a value take 12 to 14 bytes each, because little room is reserved, and none of them moves far when another
/// is inserted or removed. A clone shares the blocks until one of the two changes them.
#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    /// Blocks in the order of their IDs, none of them empty.
    pub(super) blocks: Vec<Arc<Vec<Entry<V>>>>,
    /// Number of entries.
    pub(super) len: usize,
    /// Index of the block that is swept next.
    sweep_at: usize,
}

/// Entry of a block. The ID is in two halves: a `u64` would round the size of an entry up to 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<V> {
    id: [u32; 2],
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
        let id = halves(id);
        let at = self.block_for(id);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(Arc::new(vec![Entry { id, until, value }]));
            self.len += 1;
            return;
        };
        let block = Arc::make_mut(block);
        match block.binary_search_by_key(&id, |entry| entry.id) {
            Ok(found) => {
                if let Some(entry) = block.get_mut(found) {
                    entry.until = entry.until.max(until);
                    entry.value = entry.value.max(value);
                }
            }
            Err(place) => {
                if block.len() == block.capacity() {
                    block.reserve_exact(ROOM);
                }
                block.insert(place, Entry { id, until, value });
                self.len += 1;
                if block.len() > BLOCK {
                    // IDs that only grow, such as those of new sessions, leave full blocks behind.
                    let half = if place == BLOCK { BLOCK } else { BLOCK / 2 };
                    let upper = block.split_off(half);
                    block.shrink_to_fit();
                    self.blocks.insert(at + 1, Arc::new(upper));
                }
            }
        }
    }

    /// Returns the value of an ID. An entry is found until it is swept, which may be after its time.
    pub(super) fn find(&self, id: u64) -> Option<V> {
        let id = halves(id);
        let block = self.blocks.get(self.block_for(id))?;
        let found = block.binary_search_by_key(&id, |entry| entry.id).ok()?;
        block.get(found).map(|entry| entry.value)
    }

    /// Returns the index of the block for an ID, present or not.
    fn block_for(&self, id: [u32; 2]) -> usize {
        let after = self.blocks.partition_point(|block| block.first().is_some_and(|first| first.id <= id));
        after.saturating_sub(1)
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
            let over = block.iter().filter(|entry| is_over(entry)).count();
            self.len -= over;
            if over == block.len() {
                self.blocks.remove(self.sweep_at);
                continue;
            }
            if over > 0 {
                let block = Arc::make_mut(block);
                block.retain(|entry| !is_over(entry));
                block.shrink_to_fit();
            }
            self.sweep_at += 1;
        }
    }
}

/// Splits an ID into its upper and its lower half, which sort like the ID.
const fn halves(id: u64) -> [u32; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "each half is cut to its 32 bits on purpose")]
    [(id >> 32) as u32, id as u32]
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
    fn entries_take_less_than_16_bytes_each() {
        let bytes = |table: &Table<()>| {
            let blocks = table.blocks.iter().map(|block| block.capacity() * size_of::<Entry<()>>() + 48);
            blocks.sum::<usize>() / table.len
        };
        let (mut ascending, mut scattered) = (Table::default(), Table::default());
        for at in 0..1_u64 << 17 {
            ascending.insert(at, UNTIL, ());
            scattered.insert((at * 77_773 + 5) % (1 << 17), UNTIL, ());
        }
        assert!(
            bytes(&ascending) < 16 && bytes(&scattered) < 16,
            "{} {}",
            bytes(&ascending),
            bytes(&scattered)
        );
    }
}
