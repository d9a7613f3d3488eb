//! The key-encryption key, under which the database holds signing keys, and the sealing by it (AES-256-GCM, NIST SP 800-38D).

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use thiserror::Error;

/// Length of a key, in bytes.
const KEY_BYTES: usize = 32;
/// Length of a nonce and a tag: what sealing adds, in bytes.
pub const SEAL_BYTES: usize = NONCE_LEN + 16;
/// Least number of different bytes in a key. Of 32 random bytes fewer are different with a probability below 10⁻¹⁴; keys that
/// were typed or repeat a pattern have fewer.
const MIN_DIFFERENT_BYTES: usize = 16;
/// Maximum number of keys: the one that seals, and the former one while it is replaced.
const MAX_KEYS: usize = 2;
/// Begins the associated data of a seal: nothing else that may be sealed by the same key one day passes for a signing key.
const PURPOSE: &str = "edgeward signing key ";

/// Key-encryption keys, newest first: the first seals, and each opens. It has no `Debug`, so that no log can show it.
#[derive(Clone)]
pub struct KeyEncryptionKeys(Arc<[RandomizedNonceKey]>);

/// Failure to seal or open. It does not say why: there is nothing to know but the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not sealed by this key-encryption key")]
pub struct SealError;

impl KeyEncryptionKeys {
    /// Parses one key of 64 hexadecimal digits, or two, comma-separated, newest first. `None` if a key is of another form, or
    /// cannot be random.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let keys: Vec<_> = text.split(',').map(|key| parse_key(key.trim())).collect::<Option<_>>()?;
        (keys.len() <= MAX_KEYS).then(|| Self(keys.into()))
    }

    /// Seals `content` for the signing key `kid` by the newest key. The library draws the nonce, so that none is used twice
    /// (SP 800-38D §8.2.2: 2³² seals by one key are safe).
    ///
    /// # Errors
    /// [`SealError`] if the library fails.
    pub fn seal(&self, kid: &str, content: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.0.first().ok_or(SealError)?;
        let mut sealed = content.to_vec();
        let nonce = key.seal_in_place_append_tag(associated_data(kid), &mut sealed).map_err(|_| SealError)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) sealed for the same `kid`.
    ///
    /// # Errors
    /// [`SealError`] if it was sealed by another key or for another `kid`, or was changed.
    pub fn open(&self, kid: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, content) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
        let open = |key: &RandomizedNonceKey| {
            let mut content = content.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            key.open_in_place(nonce, associated_data(kid), &mut content).ok().map(|opened| opened.to_vec())
        };
        self.0.iter().find_map(open).ok_or(SealError)
    }
}

fn associated_data(kid: &str) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, kid].concat().into_bytes())
}

fn parse_key(text: &str) -> Option<RandomizedNonceKey> {
    if text.len() != 2 * KEY_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    let bytes: Vec<u8> =
        pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect::<Option<_>>()?;
    let mut different = bytes.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < MIN_DIFFERENT_BYTES {
        return None;
    }
    RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38";
    const B: &str = "c41f7ae95d3b08627e90d4b1f82a6c537de4190b3f68a2c57091ebd6482cf75a";

    fn keys(text: &str) -> KeyEncryptionKeys {
        KeyEncryptionKeys::parse(text).unwrap()
    }

    #[test]
    fn key_is_64_digits_that_can_be_random() {
        let weak = ["0".repeat(64), "0123456789abcdef".repeat(4), "deadbeef".repeat(8)];
        for bad in
            [A.trim_start_matches('5'), &format!("{A}0"), &A.replace('5', "g"), &A.replace("5a", "+a"), ""]
        {
            assert!(KeyEncryptionKeys::parse(bad).is_none(), "{bad}");
        }
        for bad in weak {
            assert!(KeyEncryptionKeys::parse(&bad).is_none(), "{bad}");
        }
        assert!(KeyEncryptionKeys::parse(&A.to_uppercase()).is_some());
        assert!(KeyEncryptionKeys::parse(&format!("{A}, {B}")).is_some());
        assert!(KeyEncryptionKeys::parse(&format!("{A},{B},{A}")).is_none());
        assert!(KeyEncryptionKeys::parse(&format!("{A},")).is_none());
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_for_the_same_kid_alone() {
        let sealed = keys(A).seal("kid", b"secret").unwrap();
        assert_eq!(sealed.len(), b"secret".len() + SEAL_BYTES);
        assert_eq!(keys(A).open("kid", &sealed).unwrap(), b"secret");
        assert_eq!(keys(A).open("dik", &sealed), Err(SealError));
        assert_eq!(keys(B).open("kid", &sealed), Err(SealError));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(keys(A).open("kid", &changed), Err(SealError), "{at}");
            assert_eq!(keys(A).open("kid", &sealed[..at]), Err(SealError), "{at}");
        }
    }

    #[test]
    fn equal_contents_are_sealed_differently() {
        let seal = || keys(A).seal("kid", b"secret").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn newest_key_seals_and_the_former_one_still_opens() {
        let (both, former) = (keys(&format!("{B},{A}")), keys(A));
        assert_eq!(both.open("kid", &former.seal("kid", b"old").unwrap()).unwrap(), b"old");
        let sealed = both.seal("kid", b"new").unwrap();
        assert_eq!(keys(B).open("kid", &sealed).unwrap(), b"new");
        assert_eq!(former.open("kid", &sealed), Err(SealError));
    }
}
