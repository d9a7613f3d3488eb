//! The edge feed's answer: bytes in, an update of what the filter knows out. A doubtful answer is refused
//! whole, and what was known stays known. How it is fetched is the shell's work.

use std::fmt;

use edgeward_wire::EdgeFeed;

use crate::keys::{Flaw, KeySet};

/// The longest answer that is read: 32 keys of 8,192 bits take a fifth of it.
pub const MAX_BYTES: usize = 256 * 1024;
/// A SHA-256 in base64url has 43 bytes.
const MAX_ETAG_BYTES: usize = 64;

/// What an answer changes.
#[derive(Debug)]
pub enum Update {
    /// The key set is the one held.
    Unchanged,
    /// The key set is another one.
    Keys {
        /// Its name.
        etag: String,
        /// The set, with one key at least.
        keys: KeySet,
    },
}

/// Why an answer is refused.
#[derive(Debug)]
pub enum Fault {
    /// Longer than 256 KiB.
    Oversize,
    /// Not the JSON of a feed.
    Malformed(serde_json::Error),
    /// The key set's name is not 1 to 64 bytes of `[0-9A-Za-z_-]`.
    EtagMalformed,
    /// The key set is left out, though it is not the one held.
    KeysMissing,
    /// The key set has no key.
    KeysEmpty,
    /// A key can't be used.
    Keys(Flaw),
}

/// Reads an answer, given the name of the key set held (empty for none).
pub fn read(body: &[u8], held: &str) -> Result<Update, Fault> {
    if body.len() > MAX_BYTES {
        return Err(Fault::Oversize);
    }
    let feed: EdgeFeed = serde_json::from_slice(body).map_err(Fault::Malformed)?;
    let etag = feed.keys.etag;
    if !is_etag(&etag) {
        return Err(Fault::EtagMalformed);
    }
    match feed.keys.set {
        None if etag == held => Ok(Update::Unchanged),
        None => Err(Fault::KeysMissing),
        Some(set) if set.keys.is_empty() => Err(Fault::KeysEmpty),
        Some(set) => Ok(Update::Keys { etag, keys: KeySet::read(&set).map_err(Fault::Keys)? }),
    }
}

fn is_etag(text: &str) -> bool {
    (1..=MAX_ETAG_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversize => write!(formatter, "the answer has more than {MAX_BYTES} bytes"),
            Self::Malformed(error) => write!(formatter, "the answer is not an edge feed: {error}"),
            Self::EtagMalformed => formatter.write_str("keys.etag is not 1 to 64 bytes of [0-9A-Za-z_-]"),
            Self::KeysMissing => formatter.write_str("keys.set is missing, though keys.etag is new"),
            Self::KeysEmpty => formatter.write_str("keys.set has no key"),
            Self::Keys(flaw) => write!(formatter, "keys.set: {flaw}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, held: &str, expected: &str) {
        let told = match read(body.as_bytes(), held) {
            Ok(Update::Unchanged) => "unchanged".to_owned(),
            Ok(Update::Keys { etag, keys }) => format!("{} keys as {etag}", keys.len()),
            Err(fault) => fault.to_string(),
        };
        assert_eq!(told, expected, "{body}");
    }

    #[test]
    fn an_answer_replaces_the_key_set_or_leaves_it() {
        let modulus = format!("{}w", "_".repeat(341));
        let set = format!(r#"{{"keys":[{{"kty":"RSA","kid":"a","n":"{modulus}","e":"AQAB"}}]}}"#);
        check(&format!(r#"{{"keys":{{"etag":"e1","set":{set}}}}}"#), "", "1 keys as e1");
        check(&format!(r#"{{"keys":{{"etag":"e1","set":{set}}},"later":1}}"#), "e1", "1 keys as e1");
        check(r#"{"keys":{"etag":"e1"}}"#, "e1", "unchanged");
    }

    #[test]
    fn a_doubtful_answer_is_refused_whole() {
        check("", "", "the answer is not an edge feed: EOF while parsing a value at line 1 column 0");
        check(
            r#"{"keys":{"etag":"e1"}"#,
            "e1",
            "the answer is not an edge feed: EOF while parsing an object at line 1 column 21",
        );
        check(r#"{"keys":{"etag":"e1"}}"#, "", "keys.set is missing, though keys.etag is new");
        check(r#"{"keys":{"etag":"e1","set":{"keys":[]}}}"#, "", "keys.set has no key");
        check(r#"{"keys":{"etag":"e 1"}}"#, "e 1", "keys.etag is not 1 to 64 bytes of [0-9A-Za-z_-]");
        check(r#"{"keys":{"etag":""}}"#, "", "keys.etag is not 1 to 64 bytes of [0-9A-Za-z_-]");
        check(
            r#"{"keys":{"etag":"e1","set":{"keys":[{"kty":"EC"}]}}}"#,
            "",
            "keys.set: key 0 has a kty other than \"RSA\"",
        );
        let largest = format!("{}{}", r#"{"keys":{"etag":"e1"}}"#, " ".repeat(MAX_BYTES - 22));
        check(&largest, "e1", "unchanged");
        check(&" ".repeat(MAX_BYTES + 1), "", "the answer has more than 262144 bytes");
    }
}
