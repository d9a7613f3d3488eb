//! The edge feed's answer: bytes in, an update of what the filter knows out. A doubtful answer is refused
//! whole, and what was known stays known. How it is fetched is the shell's work.

use std::fmt;

use edgeward_wire::clock::MAX_GAP_S;
use edgeward_wire::edge_feed::{
    self, EdgeFeed, MAX_BYTES, MAX_CURSOR_BYTES, MAX_ETAG_BYTES, MAX_PAGE, Revoked,
};

use crate::keys::{InvalidKeySet, KeySet};

/// What an answer changes.
#[derive(Debug)]
pub struct Update {
    /// When it was given, by the companion's clock, in seconds since 1970.
    pub at: u64,
    /// The key set and its name, where it is another one than that held; it has one key at least.
    pub keys: Option<(String, KeySet)>,
    /// What was revoked.
    pub revoked: Revoked,
    /// Where the next answer is to go on.
    pub cursor: String,
    /// Whether there is more right now.
    pub more: bool,
}

/// Why an answer is refused.
#[derive(Debug)]
pub enum Fault {
    /// Longer than [`MAX_BYTES`].
    Oversize,
    /// Not the JSON of a feed.
    Malformed(serde_json::Error),
    /// Given by a clock that is more than [`MAX_GAP_S`] from ours: so many seconds ahead.
    ClockApart(i64),
    /// Given before an answer that was heard already.
    Backwards,
    /// The key set's tag fails [`edge_feed::is_etag`].
    EtagMalformed,
    /// The key set is left out, though it is not the one held.
    KeysMissing,
    /// The key set has no key.
    KeysEmpty,
    /// A key can't be used.
    Keys(InvalidKeySet),
    /// The cursor fails [`edge_feed::is_cursor`].
    CursorMalformed,
    /// More than [`MAX_PAGE`] revocations.
    PageOversize,
    /// More revocations than the edge holds.
    TooManyRevocations,
}

impl Fault {
    /// The name in metrics: `[a-z_]+`.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Oversize => "oversize",
            Self::Malformed(_) | Self::EtagMalformed | Self::CursorMalformed | Self::PageOversize => {
                "malformed"
            }
            Self::ClockApart(_) => "clock_apart",
            Self::Backwards => "backwards",
            Self::KeysMissing | Self::KeysEmpty | Self::Keys(_) => "keys_unusable",
            Self::TooManyRevocations => "too_many_revocations",
        }
    }
}

/// Reads an answer that came at `now`, in seconds since 1970, given the name of the key set held (empty for none).
pub fn read(body: &[u8], held: &str, now: u64) -> Result<Update, Fault> {
    if body.len() > MAX_BYTES {
        return Err(Fault::Oversize);
    }
    let EdgeFeed { at, keys, revoked, cursor, more } =
        serde_json::from_slice(body).map_err(Fault::Malformed)?;
    if at.abs_diff(now) > MAX_GAP_S.into() {
        return Err(Fault::ClockApart(at.cast_signed().wrapping_sub(now.cast_signed())));
    }
    if !edge_feed::is_etag(&keys.etag) {
        return Err(Fault::EtagMalformed);
    }
    let keys = match keys.set {
        None if keys.etag == held => None,
        None => return Err(Fault::KeysMissing),
        Some(set) if set.keys.is_empty() => return Err(Fault::KeysEmpty),
        Some(set) => Some((keys.etag, KeySet::read(&set).map_err(Fault::Keys)?)),
    };
    if !edge_feed::is_cursor(&cursor) {
        return Err(Fault::CursorMalformed);
    }
    if revoked.sessions.len() + revoked.users.len() > MAX_PAGE {
        return Err(Fault::PageOversize);
    }
    Ok(Update { at, keys, revoked, cursor, more })
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversize => write!(formatter, "the answer has more than {MAX_BYTES} bytes"),
            Self::Malformed(error) => write!(formatter, "the answer is not an edge feed: {error}"),
            Self::ClockApart(ahead) => {
                write!(
                    formatter,
                    "the companion's clock is {ahead} s ahead of the edge's, and at most {MAX_GAP_S} are allowed"
                )
            }
            Self::Backwards => formatter.write_str("the answer is older than one that was heard before"),
            Self::EtagMalformed => {
                write!(formatter, "keys.etag is not 1 to {MAX_ETAG_BYTES} bytes of [0-9A-Za-z_-]")
            }
            Self::KeysMissing => formatter.write_str("keys.set is missing, though keys.etag is new"),
            Self::KeysEmpty => formatter.write_str("keys.set has no key"),
            Self::Keys(flaw) => write!(formatter, "keys.set: {flaw}"),
            Self::CursorMalformed => {
                write!(formatter, "cursor is not 1 to {MAX_CURSOR_BYTES} bytes of [0-9A-Za-z:,.~_-]")
            }
            Self::PageOversize => write!(formatter, "revoked has more than {MAX_PAGE} entries"),
            Self::TooManyRevocations => formatter.write_str("there are more revocations than the edge holds"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    /// A good answer without revocations: these members, or others in place of them.
    fn answer(keys: &str, others: &[(&str, &str)]) -> String {
        let mut members = vec![
            ("at", "1800000000"),
            ("keys", keys),
            ("revoked", r#"{"sessions":[],"users":[]}"#),
            ("cursor", r#""c1""#),
            ("more", "false"),
        ];
        for (name, value) in others {
            members.retain(|(this, _)| this != name);
            if !value.is_empty() {
                members.push((name, value));
            }
        }
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    fn check(body: &str, held: &str, expected: &str) {
        let told = match read(body.as_bytes(), held, NOW) {
            Ok(update) => {
                let keys = update
                    .keys
                    .map_or("same keys".to_owned(), |(etag, keys)| format!("{} keys as {etag}", keys.len()));
                let (sessions, users) = (update.revoked.sessions.len(), update.revoked.users.len());
                format!(
                    "{keys}, {sessions} sessions, {users} users, on at {}, more: {}",
                    update.cursor, update.more
                )
            }
            Err(fault) => fault.to_string(),
        };
        assert_eq!(told, expected, "{body}");
    }

    const SAME: &str = r#"{"etag":"e1"}"#;

    #[test]
    fn an_answer_brings_keys_or_leaves_them_and_a_page_of_revocations() {
        let modulus = format!("{}w", "_".repeat(341));
        let set = format!(r#"{{"keys":[{{"kty":"RSA","kid":"a","n":"{modulus}","e":"AQAB"}}]}}"#);
        let fresh = format!(r#"{{"etag":"e1","set":{set}}}"#);
        check(&answer(&fresh, &[]), "", "1 keys as e1, 0 sessions, 0 users, on at c1, more: false");
        check(
            &answer(&fresh, &[("later", "1")]),
            "e1",
            "1 keys as e1, 0 sessions, 0 users, on at c1, more: false",
        );
        check(&answer(SAME, &[]), "e1", "same keys, 0 sessions, 0 users, on at c1, more: false");
        let page = ("revoked", r#"{"sessions":[[7,1800003600],[8,1]],"users":[[42,1800000001,1800003600]]}"#);
        check(
            &answer(SAME, &[page, ("more", "true"), ("cursor", r#""77-1.10:20:11,12~3""#)]),
            "e1",
            "same keys, 2 sessions, 1 users, on at 77-1.10:20:11,12~3, more: true",
        );
    }

    #[test]
    fn a_doubtful_answer_is_refused_whole() {
        check("", "", "the answer is not an edge feed: EOF while parsing a value at line 1 column 0");
        let cut = answer(SAME, &[]).replace('}', "");
        assert!(matches!(read(cut.as_bytes(), "e1", NOW), Err(Fault::Malformed(_))), "{cut}");
        for missing in ["at", "keys", "revoked", "cursor", "more"] {
            let body = answer(SAME, &[(missing, "")]);
            let expected = format!(
                "the answer is not an edge feed: missing field `{missing}` at line 1 column {}",
                body.len()
            );
            check(&body, "e1", &expected);
        }
        check(&answer(SAME, &[]), "", "keys.set is missing, though keys.etag is new");
        check(&answer(r#"{"etag":"e1","set":{"keys":[]}}"#, &[]), "", "keys.set has no key");
        for etag in ["e 1", ""] {
            let keys = format!(r#"{{"etag":"{etag}"}}"#);
            check(&answer(&keys, &[]), etag, "keys.etag is not 1 to 64 bytes of [0-9A-Za-z_-]");
        }
        check(
            &answer(r#"{"etag":"e1","set":{"keys":[{"kty":"EC"}]}}"#, &[]),
            "",
            "keys.set: key 0 has a kty other than \"RSA\"",
        );
        let long = format!("\"{}\"", "c".repeat(MAX_CURSOR_BYTES + 1));
        for cursor in [r#""""#, r#""a b""#, r#""a&b""#, r#""é""#, &long] {
            let expected = "cursor is not 1 to 2048 bytes of [0-9A-Za-z:,.~_-]";
            check(&answer(SAME, &[("cursor", cursor)]), "e1", expected);
        }
        for wrong in ["[[7]]", "[[7,1,1]]", "[[-7,1]]", "[[7,4294967296]]", "[[7,null]]", "[7]", "null"] {
            let body = answer(SAME, &[("revoked", &format!(r#"{{"sessions":{wrong},"users":[]}}"#))]);
            assert!(matches!(read(body.as_bytes(), "e1", NOW), Err(Fault::Malformed(_))), "{body}");
        }
        let many = format!(r#"{{"sessions":[{}[1,1]],"users":[]}}"#, "[1,1],".repeat(MAX_PAGE));
        check(&answer(SAME, &[("revoked", &many)]), "e1", "revoked has more than 8192 entries");
        check(&" ".repeat(MAX_BYTES + 1), "", "the answer has more than 786432 bytes");
    }

    #[test]
    fn a_page_of_the_largest_numbers_fits() {
        let one = format!("[{0},{1},{1}],", u64::MAX, u32::MAX);
        let page = format!(r#"{{"sessions":[],"users":[{}[1,1,1]]}}"#, one.repeat(MAX_PAGE - 1));
        check(
            &answer(SAME, &[("revoked", &page)]),
            "e1",
            "same keys, 0 sessions, 8192 users, on at c1, more: false",
        );
    }

    #[test]
    fn an_answer_by_a_clock_far_from_ours_is_refused() {
        for (at, expected) in [
            ("1799999940", Ok(())),
            ("1800000060", Ok(())),
            (
                "1799999939",
                Err("the companion's clock is -61 s ahead of the edge's, and at most 60 are allowed"),
            ),
            (
                "1800000061",
                Err("the companion's clock is 61 s ahead of the edge's, and at most 60 are allowed"),
            ),
        ] {
            let body = answer(SAME, &[("at", at)]);
            let read = read(body.as_bytes(), "e1", NOW).map(|_| ()).map_err(|fault| fault.to_string());
            assert_eq!(read, expected.map_err(str::to_owned), "{at}");
        }
        for at in ["0", "18446744073709551615"] {
            let body = answer(SAME, &[("at", at)]);
            assert!(matches!(read(body.as_bytes(), "e1", NOW), Err(Fault::ClockApart(_))), "{at}");
        }
    }
}
