//! What the filter knows of the companion's affairs, and since when. It changes only as a whole, by an answer
//! of the feed that is good; it knows no clock and no network.

use crate::feed::response::{self, Fault, Update};
use crate::keys::KeySet;
use crate::revocation::{Overflow, Revocations};

/// How much older than an answer heard before another may be, in seconds: companions whose clocks differ a little
/// answer in turn.
const MAX_BACK_S: u64 = 5;

/// The keys and the revocations as they stand.
#[derive(Debug, Default)]
pub struct EdgeState {
    keys: KeySet,
    /// Counts the key sets.
    generation: u64,
    /// The name of the key set for the feed, empty for one that is not the feed's.
    etag: String,
    revocations: Revocations,
    /// Number of responses that have added to the revocations.
    revision: u64,
    /// Where the feed is to go on, empty for its beginning.
    cursor: String,
    /// Whether there may be revocations that it has yet to hear of.
    behind: bool,
    /// When the last answer was given, by the companion's clock.
    told_at: u64,
    /// When it was last right, in seconds since 1970.
    heard_at: u64,
}

/// What an answer has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The key set is another one.
    pub keys: bool,
    /// There is more to be heard right now.
    pub more: bool,
    /// Seconds that the companion's clock is ahead of this machine's, less the time that the response took.
    pub ahead_s: i64,
}

impl EdgeState {
    /// What is known from the start, at `now` in seconds since 1970, to one who never hears more.
    #[must_use]
    pub fn new(keys: KeySet, now: u64) -> Self {
        Self { keys, heard_at: now, ..Self::default() }
    }

    /// The same to one who is about to hear the feed.
    #[must_use]
    pub fn syncing(keys: KeySet, now: u64) -> Self {
        Self { behind: true, ..Self::new(keys, now) }
    }

    /// Takes an answer of the feed that came at `now`. A doubtful one changes nothing.
    pub fn apply(&mut self, body: &[u8], now: u64) -> Result<Applied, Fault> {
        let Update { at, keys, revoked, cursor, more } = response::read(body, &self.etag, now)?;
        // One answer by a clock that runs ahead must not make all others look old.
        let told_at = self.told_at.min(now.saturating_add(MAX_BACK_S));
        if at.saturating_add(MAX_BACK_S) < told_at {
            return Err(Fault::Backwards);
        }
        self.revocations.add(&revoked, now).map_err(|Overflow| Fault::TooManyRevocations)?;
        self.revision += u64::from(!(revoked.sessions.is_empty() && revoked.users.is_empty()));
        let ahead_s = at.cast_signed().wrapping_sub(now.cast_signed());
        let heard = Applied { keys: keys.is_some(), more, ahead_s };
        if let Some((etag, keys)) = keys {
            (self.etag, self.keys) = (etag, keys);
            self.generation += 1;
        }
        self.cursor = cursor;
        self.behind &= more;
        self.told_at = told_at.max(at);
        self.heard_at = self.heard_at.max(now);
        Ok(heard)
    }

    /// Takes the keys alone out of an answer that another asker got at `heard_at`; its cursor is not ours.
    pub fn apply_keys(&mut self, body: &[u8], heard_at: u64) -> Result<(), Fault> {
        if let Some((etag, keys)) = response::read(body, &self.etag, heard_at)?.keys {
            (self.etag, self.keys) = (etag, keys);
            self.generation += 1;
        }
        self.heard_at = heard_at;
        Ok(())
    }

    /// Lives with a clock that went back to `now`: nothing was heard later than that.
    pub fn clamp_clock(&mut self, now: u64) {
        self.heard_at = self.heard_at.min(now);
    }

    /// Takes these keys where it has none.
    pub fn seed_keys(&mut self, keys: KeySet) {
        if self.keys.is_empty() {
            self.keys = keys;
            self.generation += 1;
        }
    }

    /// Goes by what is known from now on, because the feed does not answer.
    pub fn serve_unsynced(&mut self) {
        self.behind = false;
    }

    /// The keys that tokens may be signed with; empty before the first are known.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Which key set it is since the start, from 0.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The name of the key set, as the feed wants to be told it.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Where the feed is to go on, as it wants to be told.
    #[must_use]
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Whether nobody can be let in yet, because what was revoked before the start is still to come.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        self.behind
    }

    /// What was revoked.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Number of changes of the revocations since the start. While it is the same, an identity that they allow is allowed.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How long ago it was last right, in seconds; 0 where the clock went back.
    #[must_use]
    pub fn age_s(&self, now: u64) -> u64 {
        now.saturating_sub(self.heard_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn answer(at: u64, etag: &str, with_set: bool, cursor: &str, more: bool) -> String {
        let modulus = format!("{}w", "_".repeat(341));
        let set = if with_set {
            format!(r#","set":{{"keys":[{{"kty":"RSA","n":"{modulus}","e":"AQAB"}}]}}"#)
        } else {
            String::new()
        };
        format!(
            r#"{{"at":{at},"keys":{{"etag":"{etag}"{set}}},"revoked":{{"sessions":[[{at},4000000000]],"users":[]}},"cursor":"{cursor}","more":{more}}}"#
        )
    }

    #[test]
    fn only_a_good_answer_changes_what_is_known_and_its_age() {
        let mut edge_state = EdgeState::syncing(KeySet::default(), NOW);
        for (at, body, expected, (age, generation, revocations, cursor, behind)) in [
            (NOW + 10, "{}".to_owned(), None, (100, 0, 0, "", true)),
            (NOW + 20, answer(NOW + 20, "e1", true, "c1", true), Some((true, true)), (80, 1, 1, "c1", true)),
            (
                NOW + 30,
                answer(NOW + 30, "e1", false, "c2", false),
                Some((false, false)),
                (70, 1, 2, "c2", false),
            ),
            (NOW + 40, answer(NOW + 40, "e2", false, "c3", false), None, (70, 1, 2, "c2", false)),
            (NOW + 41, answer(NOW + 24, "e1", false, "c3", false), None, (70, 1, 2, "c2", false)),
            (
                NOW + 42,
                answer(NOW + 25, "e1", false, "c3", false),
                Some((false, false)),
                (58, 1, 3, "c3", false),
            ),
            (NOW + 43, answer(NOW + 25, "e2", true, "c3", true), Some((true, true)), (57, 2, 3, "c3", false)),
            // An answer by a clock that runs ahead, and then one that is right.
            (
                NOW + 44,
                answer(NOW + 100, "e2", false, "c4", false),
                Some((false, false)),
                (56, 2, 4, "c4", false),
            ),
            (
                NOW + 45,
                answer(NOW + 45, "e2", false, "c5", false),
                Some((false, false)),
                (55, 2, 5, "c5", false),
            ),
        ] {
            let heard = edge_state.apply(body.as_bytes(), at).ok();
            assert_eq!(heard.map(|heard| (heard.keys, heard.more)), expected, "{body}");
            let known = (
                edge_state.age_s(NOW + 100),
                edge_state.generation(),
                edge_state.revocations().len(),
                edge_state.cursor(),
                edge_state.is_syncing(),
            );
            assert_eq!(known, (age, generation, revocations, cursor, behind), "{body}");
        }
        assert_eq!((edge_state.keys().len(), edge_state.etag()), (1, "e2"));
        assert_eq!(edge_state.age_s(0), 0);
    }

    #[test]
    fn of_what_is_overheard_only_the_keys_count() {
        let mut edge_state = EdgeState::syncing(KeySet::default(), NOW + 50);
        edge_state.apply_keys(answer(NOW, "e1", true, "c1", false).as_bytes(), NOW).unwrap();
        assert_eq!((edge_state.keys().len(), edge_state.etag(), edge_state.cursor()), (1, "e1", ""));
        assert_eq!(
            (edge_state.revocations().len(), edge_state.age_s(NOW + 50), edge_state.is_syncing()),
            (0, 50, true)
        );
        edge_state.serve_unsynced();
        assert!(!edge_state.is_syncing());
        edge_state.clamp_clock(NOW - 10);
        assert_eq!(edge_state.age_s(NOW), 10);
    }
}
