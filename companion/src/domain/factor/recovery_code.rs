//! Recovery codes: each replaces a factor once. They are shown once, and only their hashes are stored.

use aws_lc_rs::digest::{SHA256, digest};
use thiserror::Error;

/// Number of codes of a user.
pub const COUNT: usize = 10;
/// Number of random bytes of a code: 120 bits, so that an unsalted hash gives nothing away (OWASP ASVS 5.0, 6.5.2: 112 or
/// more).
pub const RANDOM_BYTES: usize = 15;
/// Number of characters of a code, of five bits each.
const CHARS: usize = RANDOM_BYTES * 8 / 5;
/// Number of characters between two hyphens.
const GROUP: usize = 6;
/// Characters of a code: Crockford's base32, without those that look alike.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// SHA-256 of a code.
pub type RecoveryCodeHash = [u8; 32];

/// Recovery code. It has no `Debug`, so that no log can show it.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

/// Fault of a text that is no recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("A recovery code has {CHARS} letters and digits")]
pub struct InvalidRecoveryCode;

impl RecoveryCode {
    /// Makes a code of random bytes.
    #[must_use]
    pub fn new(random: [u8; RANDOM_BYTES]) -> Self {
        let bit = |at: usize| random.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0);
        let value = |char: usize| (0..5).fold(0, |value, at| value << 1 | usize::from(bit(char * 5 + at)));
        let char = |at| ALPHABET.get(value(at)).copied().map_or('0', char::from);
        Self((0..CHARS).map(char).collect())
    }

    /// Parses a code as it was typed: in any case, with blanks and hyphens, and with letters that look like digits.
    ///
    /// # Errors
    /// [`InvalidRecoveryCode`] if it is none.
    pub fn parse(typed: &str) -> Result<Self, InvalidRecoveryCode> {
        let chars = typed.chars().filter(|char| !char.is_whitespace() && *char != '-');
        let read = |char: char| match char.to_ascii_lowercase() {
            'o' => Some('0'),
            'i' | 'l' => Some('1'),
            char => u8::try_from(char).ok().filter(|byte| ALPHABET.contains(byte)).map(char::from),
        };
        let code: String =
            chars.take(CHARS + 1).map(read).collect::<Option<_>>().ok_or(InvalidRecoveryCode)?;
        if code.len() == CHARS { Ok(Self(code)) } else { Err(InvalidRecoveryCode) }
    }

    /// Returns the hash, which is stored.
    #[must_use]
    pub fn hash(&self) -> RecoveryCodeHash {
        let mut hash = [0; 32];
        hash.iter_mut().zip(digest(&SHA256, self.0.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
        hash
    }

    /// Returns the code for its owner, in groups.
    #[must_use]
    pub fn show(&self) -> String {
        let groups: Vec<String> = self
            .0
            .as_bytes()
            .chunks(GROUP)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        groups.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u8; RANDOM_BYTES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 255];

    #[test]
    fn code_is_read_however_it_is_typed() {
        let code = RecoveryCode::new(RANDOM);
        let shown = code.show();
        assert_eq!(shown, "000g40-r40m30-e20918-5gr3fz");
        for typed in [
            shown.clone(),
            shown.replace('-', ""),
            shown.to_uppercase(),
            shown.replace('0', "O").replace('1', "l"),
            format!(" {} ", shown.replace('-', " ")),
        ] {
            assert!(RecoveryCode::parse(&typed) == Ok(code.clone()), "{typed}");
        }
        assert_eq!(RecoveryCode::parse(&shown).map(|code| code.hash()), Ok(code.hash()));
    }

    #[test]
    fn other_texts_are_no_codes() {
        let shown = RecoveryCode::new(RANDOM).show();
        for typed in [
            "",
            "123456",
            shown.trim_start_matches('0'),
            &format!("{shown}0"),
            &shown.replace('g', "u"),
            &"é".repeat(24),
        ] {
            assert!(RecoveryCode::parse(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn codes_of_other_bytes_are_others() {
        let mut changed = RANDOM;
        changed[14] ^= 1;
        assert_ne!(RecoveryCode::new(RANDOM).hash(), RecoveryCode::new(changed).hash());
    }
}
