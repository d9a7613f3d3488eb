//! The keys in use: one signs, and the gateways verify with all of them. [`stored_key`](super::stored_key) has them as their
//! store does.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::{Jwk, JwkSet};
use jsonwebtoken::DecodingKey;

use super::rsa_key::{PrivateKey, PublicKey};

/// Maximum time for which others may cache the published set, in seconds (`Cache-Control`). A new key is announced for
/// longer than that before it signs.
pub const MAX_CACHE_AGE_S: i64 = 300;

/// Key set: one key signs, the others are announced or still accepted.
pub struct KeySet {
    signing: PrivateKey,
    others: Vec<PublicKey>,
    published: JwkSet,
    etag: String,
}

impl KeySet {
    /// Makes the set of a signing key and the others that are published with it. Duplicates are removed.
    #[must_use]
    pub fn new(signing: PrivateKey, mut others: Vec<PublicKey>) -> Self {
        others.sort_by(|a, b| a.kid().cmp(b.kid()));
        others.dedup_by(|a, b| a.kid() == b.kid());
        others.retain(|key| key.kid() != signing.public().kid());
        let mut keys: Vec<Jwk> = others.iter().chain([signing.public()]).map(|key| key.jwk.clone()).collect();
        keys.sort_by(|a, b| a.kid.cmp(&b.kid));
        // A thumbprint identifies a key, and they are sorted: equal sets have equal tags.
        let kids: Vec<&str> = keys.iter().filter_map(|key| key.kid.as_deref()).collect();
        let etag = URL_SAFE_NO_PAD.encode(digest(&SHA256, kids.join(" ").as_bytes()));
        Self { signing, others, published: JwkSet { keys }, etag }
    }

    /// Returns the JWK set that the gateways verify with.
    #[must_use]
    pub fn published(&self) -> &JwkSet {
        &self.published
    }

    /// Returns the entity tag of this exact set: 43 bytes of base64url.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Returns the key ID (`kid`) of the signing key.
    #[must_use]
    pub fn signing_kid(&self) -> &str {
        self.signing.public().kid()
    }

    /// Returns the signing key.
    #[must_use]
    pub fn signing(&self) -> &PrivateKey {
        &self.signing
    }

    /// Returns the public key with a key ID.
    #[must_use]
    pub fn verifying_key(&self, kid: &str) -> Option<&DecodingKey> {
        self.others
            .iter()
            .chain([self.signing.public()])
            .find(|key| key.kid() == kid)
            .map(|key| &key.verifying)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;

    use super::*;

    #[test]
    fn equal_sets_have_equal_tags_and_no_duplicates() {
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
