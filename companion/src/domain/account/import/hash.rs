//! Hashes of other systems.

use thiserror::Error;

use crate::domain::account::password::PasswordHash;

/// Length of a bcrypt hash in its modular form, in bytes.
const BYTES: usize = 60;
/// Length of its salt, in characters.
const SALT_CHARS: usize = 22;
/// Alphabet of its base64, in the order of the values.
const ALPHABET: &[u8] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Minimum cost (bcrypt's own).
const MIN_COST: u32 = 4;
/// Maximum cost, that of `BCRYPT_COST`: one login takes some four seconds then. bcrypt's own, 31, is more than a day.
const MAX_COST: u32 = 16;

/// Fault of a text that cannot be imported as a hash. It never holds a part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidHash {
    /// Another kind of hash, or a password.
    #[error("is not a bcrypt hash of 60 characters that begins with $2a$, $2b$ or $2y$")]
    NotBcrypt,
    /// The cost is none, or a login would take too long.
    #[error("has a cost that is not {MIN_COST} to {MAX_COST}")]
    Cost,
    /// Salt or digest are not bcrypt's base64, so that no password can match.
    #[error("is damaged: its salt or digest is not bcrypt's base64")]
    Encoding,
}

/// Reads the hash of an import. A `$2b$` hash of another system becomes `$2y$`, which is the same computation:
/// [`PasswordHash::is_ours`] is false for it.
///
/// # Errors
/// [`InvalidHash`] names the first fault, in the order of its variants.
pub(super) fn parse(text: &str, is_ours: bool) -> Result<PasswordHash, InvalidHash> {
    let parts = text.split_at_checked(4).filter(|_| text.len() == BYTES && text.is_ascii());
    let (prefix, rest) = parts.ok_or(InvalidHash::NotBcrypt)?;
    if !matches!(prefix, "$2a$" | "$2b$" | "$2y$") {
        return Err(InvalidHash::NotBcrypt);
    }
    let (cost, encoded) = rest.split_once('$').ok_or(InvalidHash::NotBcrypt)?;
    let cost = Some(cost).filter(|cost| cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit()));
    let cost: u32 = cost.and_then(|cost| cost.parse().ok()).ok_or(InvalidHash::NotBcrypt)?;
    if !(MIN_COST..=MAX_COST).contains(&cost) {
        return Err(InvalidHash::Cost);
    }
    let (salt, digest) = encoded.split_at_checked(SALT_CHARS).ok_or(InvalidHash::NotBcrypt)?;
    // 16 bytes leave 4 bits of the last character, 23 bytes leave 2.
    if !is_base64(salt, 4) || !is_base64(digest, 2) {
        return Err(InvalidHash::Encoding);
    }
    let prefix = if prefix == "$2b$" && !is_ours { "$2y$" } else { prefix };
    Ok(PasswordHash::stored(format!("{prefix}{rest}")))
}

/// Returns `true` for characters of the alphabet, the last of which has `unused` low bits that are zero.
fn is_base64(text: &str, unused: u32) -> bool {
    let value = |byte: u8| ALPHABET.iter().position(|known| *known == byte);
    let last = text.bytes().last().and_then(value);
    text.bytes().all(|byte| value(byte).is_some()) && last.is_some_and(|last| last.trailing_zeros() >= unused)
}
