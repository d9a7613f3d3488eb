//! The key-encryption key, under which the database holds signing keys, and the sealing by it (AES-256-GCM, NIST SP 800-38D).

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::domain::UserId;

/// Length of a key, in bytes.
const KEY_BYTES: usize = 32;
/// Length of a nonce and a tag: what sealing adds, in bytes.
pub const SEAL_BYTES: usize = NONCE_LEN + 16;
/// Least number of different bytes in a key. Of 32 random bytes fewer are different with a probability below 10⁻¹⁴; keys that
/// were typed or repeat a pattern have fewer.
const MIN_DIFFERENT_BYTES: usize = 16;
/// Maximum number of keys: the one that seals, and the former one while it is replaced.
const MAX_KEYS: usize = 2;

/// Key-encryption keys, newest first: the first seals, and each opens. It has no `Debug`, so that no log can show it.
#[derive(Clone)]
pub struct KeyEncryptionKeys(Vec<Arc<RandomizedNonceKey>>);

/// Subject of a seal, which is bound to it: what was sealed for one opens for no other.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// Signing key with this `kid`.
    SigningKey(&'a str),
    /// Secret of an authenticator app of this user.
    TotpSecret(UserId),
    /// Link and code of a mail to this address.
    Mail(&'a str),
}

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
        (keys.len() <= MAX_KEYS).then_some(Self(keys))
    }

    /// Derives a key from each secret, in their order, and appends these to `self`, if there are any: the first of all seals.
    #[must_use]
    pub fn with_derived(keys: Option<&Self>, secrets: &[SecretString], purpose: &[u8]) -> Self {
        let derive = |secret: &SecretString| {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
            RandomizedNonceKey::new(&AES_256_GCM, hmac::sign(&secret, purpose).as_ref()).ok().map(Arc::new)
        };
        let own = keys.into_iter().flat_map(|keys| keys.0.iter().cloned());
        Self(own.chain(secrets.iter().filter_map(derive)).collect())
    }

    /// Seals `content` for a subject by the newest key. The library draws the nonce, so that none is used twice
    /// (SP 800-38D §8.2.2: 2³² seals by one key are safe).
    ///
    /// # Errors
    /// [`SealError`] if the library fails.
    pub fn seal(&self, subject: Subject<'_>, content: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.0.first().ok_or(SealError)?;
        let mut sealed = content.to_vec();
        let nonce = key.seal_in_place_append_tag(subject.aad(), &mut sealed).map_err(|_| SealError)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) sealed for the same subject.
    ///
    /// # Errors
    /// [`SealError`] if it was sealed by another key or for another subject, or was changed.
    pub fn open(&self, subject: Subject<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.0.iter().find_map(|key| open_with(key, subject, sealed)).ok_or(SealError)
    }

    /// Returns `true` if there is a key that seals.
    #[must_use]
    pub fn can_seal(&self) -> bool {
        !self.0.is_empty()
    }

    /// Seals anew what a former key has sealed. `None` if the newest key has sealed it, or no key opens it.
    #[must_use]
    pub fn reseal(&self, subject: Subject<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let (newest, former) = self.0.split_first()?;
        if open_with(newest, subject, sealed).is_some() {
            return None;
        }
        let content = former.iter().find_map(|key| open_with(key, subject, sealed))?;
        self.seal(subject, &content).ok()
    }

    /// Returns `true` if there is a former key, by which something may still be sealed.
    #[must_use]
    pub fn has_former(&self) -> bool {
        self.0.len() > 1
    }
}

impl Subject<'_> {
    fn aad(self) -> Aad<Vec<u8>> {
        let text = match self {
            Self::SigningKey(kid) => format!("edgeward signing key {kid}"),
            Self::TotpSecret(user_id) => format!("edgeward totp secret {user_id}"),
            Self::Mail(address) => format!("edgeward mail {address}"),
        };
        Aad::from(text.into_bytes())
    }
}

fn open_with(key: &RandomizedNonceKey, subject: Subject<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, content) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut content = content.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    key.open_in_place(nonce, subject.aad(), &mut content).ok().map(|opened| opened.to_vec())
}

fn parse_key(text: &str) -> Option<Arc<RandomizedNonceKey>> {
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
    RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "5a0c1e83bb6f4d2907f1a8c93e64d0275b1947ee80c2fd36a9154be07d92cf38";
    const B: &str = "c41f7ae95d3b08627e90d4b1f82a6c537de4190b3f68a2c57091ebd6482cf75a";

    const KID: Subject<'_> = Subject::SigningKey("kid");

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
    fn what_is_sealed_is_opened_by_the_same_key_for_the_same_subject_alone() {
        let sealed = keys(A).seal(KID, b"secret").unwrap();
        assert_eq!(sealed.len(), b"secret".len() + SEAL_BYTES);
        assert_eq!(keys(A).open(KID, &sealed).unwrap(), b"secret");
        assert_eq!(keys(A).open(Subject::SigningKey("dik"), &sealed), Err(SealError));
        assert_eq!(keys(A).open(Subject::TotpSecret(UserId(1)), &sealed), Err(SealError));
        assert_eq!(keys(B).open(KID, &sealed), Err(SealError));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(keys(A).open(KID, &changed), Err(SealError), "{at}");
            assert_eq!(keys(A).open(KID, &sealed[..at]), Err(SealError), "{at}");
        }
    }

    #[test]
    fn equal_contents_are_sealed_differently() {
        let seal = || keys(A).seal(KID, b"secret").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn newest_key_seals_and_the_former_one_still_opens() {
        let (both, former) = (keys(&format!("{B},{A}")), keys(A));
        assert_eq!(both.open(KID, &former.seal(KID, b"old").unwrap()).unwrap(), b"old");
        let sealed = both.seal(KID, b"new").unwrap();
        assert_eq!(keys(B).open(KID, &sealed).unwrap(), b"new");
        assert_eq!(former.open(KID, &sealed), Err(SealError));
    }

    #[test]
    fn derived_keys_open_what_they_sealed_once_there_is_a_key_of_its_own() {
        let derive = |own: Option<&KeyEncryptionKeys>, letters: &[&str]| {
            let secrets: Vec<SecretString> = letters.iter().map(|letter| letter.repeat(32).into()).collect();
            KeyEncryptionKeys::with_derived(own, &secrets, b"test")
        };
        let sealed = derive(None, &["a"]).seal(KID, b"secret").unwrap();
        let later = derive(Some(&keys(A)), &["b", "a"]);
        assert_eq!(later.open(KID, &sealed).unwrap(), b"secret");
        let resealed = later.reseal(KID, &sealed).unwrap();
        assert_eq!(keys(A).open(KID, &resealed).unwrap(), b"secret");
        assert_eq!(later.reseal(KID, &resealed), None);
        assert_eq!(derive(None, &["b"]).reseal(KID, &sealed), None);
        assert!(later.has_former() && !derive(None, &["a"]).has_former());
    }
}
