//! What was revoked: sessions that ended, and users whose earlier tokens no longer count. An entry is held until
//! every token that it concerns has expired; who puts them here is `edge_state`'s business.

use edgeward_wire::Revoked;

use crate::claims::Identity;
use crate::rejection::Rejection;

/// The most entries: what 56 MiB hold.
pub const MAX_ENTRIES: usize = 4_000_000;

/// More entries than the edge holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// What was revoked, as far as it still matters.
#[derive(Debug, Default)]
pub struct Revocations {
    sessions: Table<()>,
    /// With the second before which their tokens were made.
    users: Table<u32>,
}

impl Revocations {
    /// Takes in what was revoked and drops some of what has had its time at `now`, in seconds since 1970.
    pub fn add(&mut self, revoked: &Revoked, now: u64) -> Result<(), Overflow> {
        self.sessions.sweep(now);
        self.users.sweep(now);
        if self.len() + revoked.sessions.len() + revoked.users.len() > MAX_ENTRIES {
            return Err(Overflow);
        }
        for session in &revoked.sessions {
            self.sessions.insert(session.0, session.1, ());
        }
        for user in &revoked.users {
            self.users.insert(user.0, user.2, user.1);
        }
        Ok(())
    }

    /// Judges an identity that a token speaks for.
    pub fn judge(&self, identity: &Identity) -> Result<(), Rejection> {
        if self.is_empty() {
            return Ok(());
        }
        if self.sessions.find(identity.session_id()).is_some() {
            return Err(Rejection::SessionEnded);
        }
        let not_before = self.users.find(identity.user_id()).unwrap_or_default();
        if identity.issued_at() < not_before.into() { Err(Rejection::TokenOutdated) } else { Ok(()) }
    }

    /// How many entries there are, those among them that have had their time and await the sweep.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len + self.users.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The most entries of a block: few enough to be shifted, enough that the list of blocks is short.
const BLOCK: usize = 256;
/// How many more entries a block gets room for when it is full.
const ROOM: usize = 16;

/// Numbers with what is known of each, in order: a list of short sorted blocks. A million of them take 12 to 14 bytes
/// each, as nothing is reserved for what may come, and are added and dropped without a pause to reorder.
#[derive(Debug)]
struct Table<V> {
    /// None of them empty.
    blocks: Vec<Vec<Entry<V>>>,
    len: usize,
    /// The block that is swept next.
    sweep_at: usize,
}

/// The number is in two halves, for otherwise an entry would be rounded up to 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Entry<V> {
    number: [u32; 2],
    until: u32,
    value: V,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { blocks: Vec::new(), len: 0, sweep_at: 0 }
    }
}

impl<V: Copy + Ord> Table<V> {
    /// Adds a number, or has it stay longer.
    fn insert(&mut self, number: u64, until: u32, value: V) {
        let number = halves(number);
        let at = self.block_for(number);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(vec![Entry { number, until, value }]);
            self.len += 1;
            return;
        };
        match block.binary_search_by_key(&number, |entry| entry.number) {
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
                block.insert(place, Entry { number, until, value });
                self.len += 1;
                if block.len() > BLOCK {
                    // Numbers that only grow, as those of new sessions do, leave full blocks behind.
                    let half = if place == BLOCK { BLOCK } else { BLOCK / 2 };
                    let upper = block.split_off(half);
                    block.shrink_to_fit();
                    self.blocks.insert(at + 1, upper);
                }
            }
        }
    }

    /// What is known of a number. It is there until it is swept, which may be a little later than it need be.
    fn find(&self, number: u64) -> Option<V> {
        let number = halves(number);
        let block = self.blocks.get(self.block_for(number))?;
        let found = block.binary_search_by_key(&number, |entry| entry.number).ok()?;
        block.get(found).map(|entry| entry.value)
    }

    /// The block that a number is in, or would be.
    fn block_for(&self, number: [u32; 2]) -> usize {
        let after =
            self.blocks.partition_point(|block| block.first().is_some_and(|first| first.number <= number));
        after.saturating_sub(1)
    }

    /// Drops from a part of the blocks what has had its time: all of them have their turn in 64 sweeps.
    fn sweep(&mut self, now: u64) {
        for _ in 0..=self.blocks.len() / 64 {
            if self.sweep_at >= self.blocks.len() {
                self.sweep_at = 0;
            }
            let Some(block) = self.blocks.get_mut(self.sweep_at) else { return };
            let before = block.len();
            block.retain(|entry| u64::from(entry.until) >= now);
            self.len -= before - block.len();
            if block.is_empty() {
                self.blocks.remove(self.sweep_at);
                continue;
            }
            if block.len() < before {
                block.shrink_to_fit();
            }
            self.sweep_at += 1;
        }
    }
}

const fn halves(number: u64) -> [u32; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "each half is what is left of the other")]
    [(number >> 32) as u32, number as u32]
}

#[cfg(test)]
mod tests {
    use edgeward_wire::{RevokedSession, RevokedUser};

    use super::*;
    use crate::claims::Expected;
    use crate::token::Verified;

    const NOW: u64 = 1_800_000_000;
    const UNTIL: u32 = 1_800_003_600;

    fn identity(user: u64, session: u64, issued_at: u64) -> Identity {
        let expected = Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 };
        let exp = NOW + 60;
        let claims = format!(
            r#"{{"iss":"i","aud":"a","exp":{exp},"iat":{issued_at},"sub":"{user}","sid":{session},"role":"x"}}"#
        );
        Identity::judge(&Verified::for_test(&claims), &expected, NOW).unwrap()
    }

    #[test]
    fn a_session_is_refused_whatever_its_token_says_and_a_user_until_a_later_token() {
        let mut revocations = Revocations::default();
        let revoked = Revoked {
            sessions: vec![RevokedSession(7, UNTIL), RevokedSession(u64::MAX, UNTIL)],
            users: vec![RevokedUser(42, 1_799_999_990, UNTIL)],
        };
        revocations.add(&revoked, NOW).unwrap();
        for (user, session, issued_at, expected) in [
            (1, 7, NOW, Err(Rejection::SessionEnded)),
            (1, 7, 0, Err(Rejection::SessionEnded)),
            (1, 8, NOW, Ok(())),
            (7, 42, NOW, Ok(())),
            (42, 1, 1_799_999_989, Err(Rejection::TokenOutdated)),
            (42, 1, 1_799_999_990, Ok(())),
            (42, 7, 0, Err(Rejection::SessionEnded)),
            (43, 1, 0, Ok(())),
        ] {
            let judged = revocations.judge(&identity(user, session, issued_at));
            assert_eq!(judged, expected, "user {user}, session {session}, issued at {issued_at}");
        }
    }

    #[test]
    fn hearing_twice_changes_nothing_and_the_later_moment_counts() {
        let mut revocations = Revocations::default();
        for (not_before, until) in [(100, UNTIL), (300, UNTIL + 5), (200, UNTIL), (200, UNTIL)] {
            let users = vec![RevokedUser(42, not_before, until)];
            revocations.add(&Revoked { sessions: Vec::new(), users }, NOW).unwrap();
        }
        assert_eq!(revocations.len(), 1);
        assert!(revocations.judge(&identity(42, 1, 299)).is_err());
        assert!(revocations.judge(&identity(42, 1, 300)).is_ok());
    }

    #[test]
    fn entries_stay_until_their_tokens_have_expired_and_then_go() {
        let mut revocations = Revocations::default();
        let sessions = (0..100_000).map(|at| RevokedSession(at, UNTIL + u32::from(at % 2 == 0))).collect();
        revocations.add(&Revoked { sessions, users: Vec::new() }, NOW).unwrap();
        let wait_until = |revocations: &mut Revocations, now: u64| {
            for _ in 0..400 {
                revocations.add(&Revoked::default(), now).unwrap();
            }
            revocations.len()
        };
        assert_eq!(wait_until(&mut revocations, UNTIL.into()), 100_000);
        assert_eq!(wait_until(&mut revocations, u64::from(UNTIL) + 1), 50_000);
        assert!(revocations.judge(&identity(1, 99_998, NOW)).is_err());
        assert!(revocations.judge(&identity(1, 99_999, NOW)).is_ok());
        assert_eq!(wait_until(&mut revocations, u64::from(UNTIL) + 2), 0);
        assert!(revocations.is_empty() && revocations.sessions.blocks.is_empty());
    }

    #[test]
    fn a_table_knows_what_a_map_would_know_in_whatever_order_it_came() {
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
    fn a_million_entries_take_less_than_16_bytes_each() {
        let bytes = |table: &Table<()>| {
            let blocks = table.blocks.iter().map(|block| block.capacity() * size_of::<Entry<()>>() + 20);
            blocks.sum::<usize>() / table.len
        };
        let (mut ascending, mut scattered) = (Table::default(), Table::default());
        for at in 0..1_u64 << 20 {
            ascending.insert(at, UNTIL, ());
            scattered.insert((at * 77_773 + 5) % (1 << 20), UNTIL, ());
        }
        assert!(
            bytes(&ascending) < 16 && bytes(&scattered) < 16,
            "{} {}",
            bytes(&ascending),
            bytes(&scattered)
        );
    }

    #[test]
    fn more_than_it_holds_is_refused() {
        let mut revocations = Revocations::default();
        revocations.sessions.len = MAX_ENTRIES - 1;
        let sessions = vec![RevokedSession(1, UNTIL); 2];
        let revoked = Revoked { sessions, users: Vec::new() };
        assert_eq!(revocations.add(&revoked, NOW), Err(Overflow));
        assert!(revocations.judge(&identity(1, 1, NOW)).is_ok());
    }
}
