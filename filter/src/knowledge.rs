//! What the filter knows of the companion's affairs, and since when. It changes only as a whole, by an answer
//! of the feed that is good; it knows no clock and no network.

use crate::feed::{self, Fault, Update};
use crate::keys::KeySet;

/// The keys as they stand.
#[derive(Debug, Default)]
pub struct Knowledge {
    keys: KeySet,
    /// The name of the key set for the feed, empty for one that is not the feed's.
    etag: String,
    /// When it was last right, in seconds since 1970.
    heard_at: u64,
}

impl Knowledge {
    /// What is known from the start, at `now` in seconds since 1970.
    #[must_use]
    pub fn new(keys: KeySet, now: u64) -> Self {
        Self { keys, etag: String::new(), heard_at: now }
    }

    /// Takes an answer of the feed that came at `now`, and tells whether it brought other keys. A doubtful one
    /// changes nothing.
    pub fn hear(&mut self, body: &[u8], now: u64) -> Result<bool, Fault> {
        let update = feed::read(body, &self.etag)?;
        self.heard_at = now;
        match update {
            Update::Unchanged => Ok(false),
            Update::Keys { etag, keys } => {
                (self.etag, self.keys) = (etag, keys);
                Ok(true)
            }
        }
    }

    /// The keys that tokens may be signed with; empty before the first are known.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The name of the key set, as the feed wants to be told it.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
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

    #[test]
    fn only_a_good_answer_changes_what_is_known_and_its_age() {
        let modulus = format!("{}w", "_".repeat(341));
        let set = format!(r#"{{"keys":[{{"kty":"RSA","n":"{modulus}","e":"AQAB"}}]}}"#);
        let mut knowledge = Knowledge::new(KeySet::default(), 100);
        for (now, body, expected, age_at_200) in [
            (110, "{}".to_owned(), None, 100),
            (120, format!(r#"{{"keys":{{"etag":"e1","set":{set}}}}}"#), Some(true), 80),
            (130, r#"{"keys":{"etag":"e1"}}"#.to_owned(), Some(false), 70),
            (140, r#"{"keys":{"etag":"e2"}}"#.to_owned(), None, 70),
        ] {
            assert_eq!(knowledge.hear(body.as_bytes(), now).ok(), expected, "{body}");
            assert_eq!(knowledge.age_s(200), age_at_200, "{body}");
        }
        assert_eq!((knowledge.keys().len(), knowledge.etag()), (1, "e1"));
        assert_eq!(knowledge.age_s(0), 0);
    }
}
