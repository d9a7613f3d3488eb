//! Rules for passwords, their spellings, and their stored hashes. `hashing` hashes and compares.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{EnumeratedProperty as _, GeneralCategory};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// Least minimum length of a password, in characters (NIST SP 800-63B-4 §3.1.1.2).
pub const MIN_CHARS: usize = 8;
/// Maximum length of a password, in bytes: bcrypt reads no more.
pub const MAX_BYTES: usize = 72;
/// Prefix of the hashes that this service makes.
const OWN_PREFIX: &str = "$2b$";

/// Password that an account may have: 8 characters to 72 bytes in the normalised spelling, without control characters.
/// Nothing is trimmed.
pub struct Password(SecretString);

/// Password that a client presents, in each spelling that may have been hashed: normalised first, then as typed, then
/// decomposed (NFD), as far as these differ. The last two match hashes from before passwords were normalised, and
/// imported ones.
pub struct PresentedPassword(Vec<SecretString>);

/// Fault of a text that cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidPassword {
    /// The text has too few characters.
    #[error("A password has at least {min} characters")]
    TooShort {
        /// Minimum number of characters.
        min: usize,
    },
    /// The text has more than 72 bytes.
    #[error("A password has at most {MAX_BYTES} bytes")]
    TooLong,
    /// There is a control character. Other bcrypts stop reading at NUL, and a line break was pasted by accident.
    #[error("A password has no control characters")]
    ControlCharacter,
}

/// Bcrypt hash in its modular form, `$2b$<cost>$<salt and digest>`.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl Password {
    /// Reads a new password as typed, in any spelling that a keyboard produces.
    ///
    /// # Errors
    /// [`InvalidPassword`] names the first fault, in the order of its variants.
    pub fn parse(typed: &str) -> Result<Self, InvalidPassword> {
        let normalized = normalize(typed);
        if normalized.chars().count() < MIN_CHARS {
            Err(InvalidPassword::TooShort { min: MIN_CHARS })
        } else if normalized.len() > MAX_BYTES {
            Err(InvalidPassword::TooLong)
        } else if normalized.chars().any(char::is_control) {
            Err(InvalidPassword::ControlCharacter)
        } else {
            Ok(Self(normalized.into()))
        }
    }

    /// Returns the password in its normalised spelling, for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PresentedPassword {
    /// Lists the spellings of a typed text. The rules for new passwords do not apply.
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

    /// Returns one to three spellings, the normalised one first.
    #[must_use]
    pub fn spellings(&self) -> &[SecretString] {
        &self.0
    }
}

/// Converts a password to its normalised spelling: every space is U+0020, and the whole is in NFC (RFC 8265 §4.2.2,
/// `OpaqueString`).
///
/// Of the characters that `OpaqueString` forbids, control characters alone are rejected: the others depend on the
/// version of Unicode, and a new emoji must not lock its owner out.
fn normalize(typed: &str) -> String {
    let is_space = |char| GeneralCategory::for_char(char) == GeneralCategory::SpaceSeparator;
    let spaced: String = typed.chars().map(|char| if is_space(char) { ' ' } else { char }).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&spaced).into_owned()
}

impl PasswordHash {
    /// Wraps a hash from the database. One that bcrypt cannot read matches no password.
    #[must_use]
    pub fn stored(hash: String) -> Self {
        Self(hash.into())
    }

    /// Returns the hash, for the database.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns `true` if this service made the hash. The password was not truncated then, as a [`Password`] fits.
    /// Other prefixes belong to systems that truncate a password at 72 bytes, as nearly all do; an import marks their `$2b$`
    /// hashes.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.expose().starts_with(OWN_PREFIX)
    }

    /// Returns the cost in `$2b$<cost>$…`. `None` if there is no number.
    #[must_use]
    pub fn cost(&self) -> Option<u32> {
        self.expose().split('$').nth(2)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_below_and_in_bytes_above() {
        let check = |typed: &str, expected| assert_eq!(Password::parse(typed).err(), expected, "{typed:?}");
        check("1234567", Some(InvalidPassword::TooShort { min: 8 }));
        check("12345678", None);
        check("        ", None);
        check("pässwör", Some(InvalidPassword::TooShort { min: 8 }));
        check(&"a".repeat(72), None);
        check(&"a".repeat(73), Some(InvalidPassword::TooLong));
        check(&"é".repeat(36), None);
        check(&"é".repeat(37), Some(InvalidPassword::TooLong));
        for control in ["pass\0word", "password\r", "pass\tword", "pass\u{85}word"] {
            check(control, Some(InvalidPassword::ControlCharacter));
        }
    }

    #[test]
    fn length_is_that_of_the_normalised_spelling() {
        let check = |typed: &str, expected| assert_eq!(Password::parse(typed).err(), expected, "{typed:?}");
        check(&"e\u{301}".repeat(7), Some(InvalidPassword::TooShort { min: 8 }));
        check(&"e\u{301}".repeat(36), None);
        check(&"e\u{301}".repeat(37), Some(InvalidPassword::TooLong));
        check(&"\u{3000}".repeat(72), None);
    }

    #[test]
    fn every_spelling_that_may_have_been_hashed_is_presented() {
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
        // Not NFKC: characters that look different stay different.
        check("\u{ff21}\u{2460}", &["\u{ff21}\u{2460}"]);
    }
}
