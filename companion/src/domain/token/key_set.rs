//! The keys in use: one signs, and the edge verifies with all. Files are not read here: that is `key_files`.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::{Jwk, JwkSet};
use jsonwebtoken::DecodingKey;

use super::rsa_key::{PrivateKey, PublicKey};

/// The keys in use: one signs, the others are announced or still accepted.
pub struct KeySet {
    signing: PrivateKey,
    others: Vec<PublicKey>,
    published: JwkSet,
    etag: String,
}

impl KeySet {
    /// The set of a signing key and others that are published along with it. Doubles are kept once.
    #[must_use]
    pub fn new(signing: PrivateKey, mut others: Vec<PublicKey>) -> Self {
        others.sort_by(|a, b| a.kid().cmp(b.kid()));
        others.dedup_by(|a, b| a.kid() == b.kid());
        others.retain(|key| key.kid() != signing.public().kid());
        let mut keys: Vec<Jwk> = others.iter().chain([signing.public()]).map(|key| key.jwk.clone()).collect();
        keys.sort_by(|a, b| a.kid.cmp(&b.kid));
        // The thumbprints say all there is to the keys, and they are sorted: equal sets have equal tags.
        let kids: Vec<&str> = keys.iter().filter_map(|key| key.kid.as_deref()).collect();
        let etag = URL_SAFE_NO_PAD.encode(digest(&SHA256, kids.join(" ").as_bytes()));
        Self { signing, others, published: JwkSet { keys }, etag }
    }

    /// What the edge verifies with.
    #[must_use]
    pub fn published(&self) -> &JwkSet {
        &self.published
    }

    /// Names this exact set: 43 bytes of base64url.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The name (kid) of the key that signs.
    #[must_use]
    pub fn signing_kid(&self) -> &str {
        self.signing.public().kid()
    }

    /// The key that signs.
    #[must_use]
    pub fn signing(&self) -> &PrivateKey {
        &self.signing
    }

    pub(super) fn verifying_key(&self, kid: &str) -> Option<&DecodingKey> {
        self.others
            .iter()
            .chain([self.signing.public()])
            .find(|key| key.kid() == kid)
            .map(|key| &key.verifying)
    }
}

/// The key set of the moment. It is replaced as a whole: whoever holds one goes on with it.
pub struct CurrentKeys(RwLock<Arc<KeySet>>);

impl CurrentKeys {
    /// Begins with a set.
    #[must_use]
    pub fn new(keys: KeySet) -> Self {
        Self(RwLock::new(Arc::new(keys)))
    }

    /// The set of now.
    #[must_use]
    pub fn current(&self) -> Arc<KeySet> {
        // The lock is held for a copy alone, which cannot panic.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another set in its place.
    pub fn replace(&self, keys: KeySet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;

    use super::*;

    #[test]
    fn equal_sets_have_equal_tags_and_doubles_are_kept_once() {
        let key = || PrivateKey::generate(KeySize::Rsa2048).unwrap();
        let (a, b) = (key(), key());
        let (pa, pb) = (a.public().clone(), b.public().clone());
        let one = KeySet::new(a, vec![pb.clone(), pb, pa.clone()]);
        let other = KeySet::new(b, vec![pa]);
        assert_eq!(one.published().keys.len(), 2);
        assert_eq!(one.etag(), other.etag());
        assert_eq!(one.published(), other.published());
    }
}
