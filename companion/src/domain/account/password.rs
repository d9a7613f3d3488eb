//! Rules for passwords, their spellings, and their hashes as they are stored. Hashing and comparing are in `hashing`.

use std::fmt;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{EnumeratedProperty as _, GeneralCategory};
use secrecy::{ExposeSecret, SecretString};

/// Minimum length of a password, in characters.
const MIN_CHARS: usize = 8;
/// Number of bytes that bcrypt looks at.
pub const MAX_BYTES: usize = 72;
/// Begins our own hashes.
const OWN_PREFIX: &str = "$2b$";

/// A password that an account may have: 8 characters to 72 bytes in the normalised spelling, without control characters.
/// Nothing is trimmed.
pub struct Password(SecretString);

/// A password as somebody presents it, in each spelling that a hash may have been made of: normalised first, then as
/// typed, then decomposed (NFD), as far as these differ. The last two are of hashes from before passwords were
/// normalised, or from elsewhere.
pub struct PresentedPassword(Vec<SecretString>);

/// Fault of a text that may not be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidPassword {
    /// Fewer than 8 characters.
    TooShort,
    /// More than 72 bytes.
    TooLong,
    /// A control character. At NUL other bcrypts stop reading, and a line's end came along by accident.
    Control,
}

/// A bcrypt hash in its modular form.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl Password {
    /// Takes a password as typed, in whatever spelling the keyboard has.
    pub fn parse(typed: &str) -> Result<Self, InvalidPassword> {
        let normalized = normalize(typed);
        if normalized.chars().count() < MIN_CHARS {
            Err(InvalidPassword::TooShort)
        } else if normalized.len() > MAX_BYTES {
            Err(InvalidPassword::TooLong)
        } else if normalized.chars().any(char::is_control) {
            Err(InvalidPassword::Control)
        } else {
            Ok(Self(normalized.into()))
        }
    }

    /// The password in its one spelling, to be hashed.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PresentedPassword {
    /// Takes what was typed. It is not held to the rules for new passwords.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        let mut spellings = vec![normalize(typed)];
        for other in
            [typed.to_owned(), DecomposingNormalizerBorrowed::new_nfd().normalize(typed).into_owned()]
        {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
        Self(spellings.into_iter().map(SecretString::from).collect())
    }

    /// The spellings, the normalised one first; at least one, at most three.
    #[must_use]
    pub fn spellings(&self) -> &[SecretString] {
        &self.0
    }
}

/// The one spelling of a password: every space is U+0020, and the whole is in NFC (RFC 8265 §4.2.2, `OpaqueString`).
///
/// The characters that `OpaqueString` forbids are not refused, but for control characters: which they are depends on the
/// version of Unicode, and an emoji of today must not lock its owner out.
fn normalize(typed: &str) -> String {
    let is_space = |char| GeneralCategory::for_char(char) == GeneralCategory::SpaceSeparator;
    let spaced: String = typed.chars().map(|char| if is_space(char) { ' ' } else { char }).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&spaced).into_owned()
}

impl PasswordHash {
    /// Takes a hash from the database. One that bcrypt cannot read matches nothing.
    #[must_use]
    pub fn stored(hash: String) -> Self {
        Self(hash.into())
    }

    /// The hash, for the database.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// `true` if we have made it: then nothing was cut, for a [`Password`] fits. A hash with another prefix is of a system
    /// that cuts a password at 72 bytes, as nearly all do; docs/guide/import.md has imported `$2b$` hashes marked so.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.expose().starts_with(OWN_PREFIX)
    }

    /// The cost in `$2b$<cost>$…`.
    #[must_use]
    pub fn cost(&self) -> Option<u32> {
        self.expose().split('$').nth(2)?.parse().ok()
    }
}

impl fmt::Display for InvalidPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "A password has at least 8 characters",
            Self::TooLong => "A password has at most 72 bytes",
            Self::Control => "A password has no control characters",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_below_and_in_bytes_above() {
        let check = |typed: &str, expected| assert_eq!(Password::parse(typed).err(), expected, "{typed:?}");
        check("1234567", Some(InvalidPassword::TooShort));
        check("12345678", None);
        check("        ", None);
        check("pässwör", Some(InvalidPassword::TooShort));
        check(&"a".repeat(72), None);
        check(&"a".repeat(73), Some(InvalidPassword::TooLong));
        check(&"é".repeat(36), None);
        check(&"é".repeat(37), Some(InvalidPassword::TooLong));
        for control in ["pass\0word", "password\r", "pass\tword", "pass\u{85}word"] {
            check(control, Some(InvalidPassword::Control));
        }
    }

    #[test]
    fn length_counts_in_the_normalised_spelling() {
        let check = |typed: &str, expected| assert_eq!(Password::parse(typed).err(), expected, "{typed:?}");
        check(&"e\u{301}".repeat(7), Some(InvalidPassword::TooShort));
        check(&"e\u{301}".repeat(36), None);
        check(&"e\u{301}".repeat(37), Some(InvalidPassword::TooLong));
        check(&"\u{3000}".repeat(72), None);
    }

    #[test]
    fn a_password_is_presented_in_every_spelling_that_may_have_been_hashed() {
        fn check(typed: &str, expected: &[&str]) {
            let PresentedPassword(spellings) = PresentedPassword::new(typed);
            let spellings: Vec<_> = spellings.iter().map(ExposeSecret::expose_secret).collect();
            assert_eq!(spellings, expected, "{typed:?}");
        }
        check("correct horse", &["correct horse"]);
        check("", &[""]);
        check("Stra\u{df}e \u{2603}", &["Stra\u{df}e \u{2603}"]);
        check("caf\u{e9}", &["caf\u{e9}", "cafe\u{301}"]);
        check("cafe\u{301}", &["caf\u{e9}", "cafe\u{301}"]);
        check("a\u{a0}b\u{3000}c", &["a b c", "a\u{a0}b\u{3000}c"]);
        check("\u{e9}\u{a0}", &["\u{e9} ", "\u{e9}\u{a0}", "e\u{301}\u{a0}"]);
        // Not NFKC: what looks different stays different.
        check("\u{ff21}\u{2460}", &["\u{ff21}\u{2460}"]);
    }
}
