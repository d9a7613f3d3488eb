//! Pseudo-random numbers from a seed, for jitter and names: nothing that must be secret.

use std::time::Duration;

/// Multiplier of xorshift64* (Vigna 2016, "An experimental exploration of Marsaglia's xorshift generators,
/// scrambled", table III).
const MULTIPLIER: u64 = 0x2545_f491_4f6c_dd1d;
/// State of a generator whose seed is 0. That alone would only ever produce 0.
const STATE_OF_SEED_0: u64 = 1;

/// Sequence of pseudo-random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the sequence of a seed. Equal seeds have equal sequences.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self(if seed == 0 { STATE_OF_SEED_0 } else { seed })
    }

    /// Returns the next number of the sequence.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(MULTIPLIER)
    }

    /// Returns between 90 % and 110 % of a time, so that workers that start together do not stay in step.
    pub fn jitter(&mut self, time: Duration) -> Duration {
        let added = u32::try_from(self.next_u64() % 201).unwrap_or_default();
        time / 1000 * (900 + added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_of_a_seed_is_that_of_the_paper() {
        // Computed by hand from the three shifts: 1 >> 12 = 0, 1 ^ 1 << 25 = 0x2000001, and no bit is above 27.
        assert_eq!(Random::from_seed(1).next_u64(), 0x200_0001_u64.wrapping_mul(MULTIPLIER));
        let mut zero = Random::from_seed(0);
        assert_ne!(zero.next_u64(), zero.next_u64());
    }

    #[test]
    fn jitter_is_at_most_a_tenth_in_either_direction() {
        let mut random = Random::from_seed(7);
        let times: Vec<_> = (0..1000).map(|_| random.jitter(Duration::from_secs(1)).as_millis()).collect();
        assert!(times.iter().all(|time| (900..=1100).contains(time)));
        assert!(times.iter().min() < Some(&910) && times.iter().max() > Some(&1090));
    }
}
