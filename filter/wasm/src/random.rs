//! The host's randomness, and numbers made of it.

use std::time::Duration;

/// A key that nobody else knows; `None` where the host has no randomness.
pub(crate) fn key() -> Option<[u8; 16]> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).ok()?;
    Some(key)
}

/// A row of numbers that differs from worker to worker (xorshift64*, Vigna 2016), for nothing that is secret.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        let seed = key().and_then(|key| key.first_chunk().copied()).map_or(0, u64::from_le_bytes);
        // Zero alone would stay what it is.
        Self(seed.max(1))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A time between 9 and 11 tenths of this one, so that those who began together do not stay so.
    pub(crate) fn around(&mut self, time: Duration) -> Duration {
        let share = u32::try_from(self.number() % 201).unwrap_or_default();
        time / 1000 * (900 + share)
    }
}
