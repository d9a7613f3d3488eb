//! What may be a password, and what is kept of one. How they are hashed and compared is in `hashing`.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// The shortest password, in characters.
const MIN_CHARS: usize = 8;
/// All that bcrypt looks at. A longer password would be cut without a word.
pub(super) const MAX_BYTES: usize = 72;

/// A password that an account may have: 8 characters to 72 bytes, without NUL, exactly as typed.
pub struct Password(pub(super) SecretString);

/// Why a text may not be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMistake {
    /// Fewer than 8 characters.
    TooShort,
    /// More than 72 bytes.
    TooLong,
    /// A NUL, at which other bcrypts stop reading.
    Nul,
}

/// A bcrypt hash in its modular form.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl Password {
    /// Takes a password as typed. Nothing is trimmed.
    pub fn parse(typed: &str) -> Result<Self, PasswordMistake> {
        if typed.chars().count() < MIN_CHARS {
            Err(PasswordMistake::TooShort)
        } else if typed.len() > MAX_BYTES {
            Err(PasswordMistake::TooLong)
        } else if typed.contains('\0') {
            Err(PasswordMistake::Nul)
        } else {
            Ok(Self(typed.into()))
        }
    }
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

    /// The cost in `$2b$<cost>$…`.
    pub(super) fn cost(&self) -> Option<u32> {
        self.expose().split('$').nth(2)?.parse().ok()
    }
}

impl fmt::Display for PasswordMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "A password has at least 8 characters",
            Self::TooLong => "A password has at most 72 bytes",
            Self::Nul => "A password has no NUL character",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_below_and_in_bytes_above() {
        let check = |typed: &str, expected| assert_eq!(Password::parse(typed).err(), expected, "{typed:?}");
        check("1234567", Some(PasswordMistake::TooShort));
        check("12345678", None);
        check("        ", None);
        check("pässwör", Some(PasswordMistake::TooShort));
        check(&"a".repeat(72), None);
        check(&"a".repeat(73), Some(PasswordMistake::TooLong));
        check(&"é".repeat(36), None);
        check(&"é".repeat(37), Some(PasswordMistake::TooLong));
        check("pass\0word", Some(PasswordMistake::Nul));
    }
}
