//! Public keys that access tokens may be signed with, by `kid`. A JWK set is read whole or rejected whole. It comes
//! from the configuration or from the edge feed.

mod invalid;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::ALGORITHM;
use edgeward_wire::jwk::{self, Jwk, JwkSet, MAX_KEYS, MAX_KID_BYTES, MODULUS_BITS};
use jsonwebtoken::DecodingKey;
use rsa::BoxedUint;
use rsa::pkcs8::EncodePublicKey;

pub use invalid::{InvalidKey, InvalidKeySet};

use crate::rejection::Rejection;

/// Set of keys with distinct `kid`s.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<(Option<String>, DecodingKey)>,
}

impl KeySet {
    /// Reads a JWK set of at most [`MAX_KEYS`] keys (RFC 7517 §5). An unusable key is an error and is not skipped: a
    /// set that lost a key silently is noticed only when users are rejected.
    ///
    /// # Errors
    /// [`InvalidKeySet::TooManyKeys`] if the set is too large, [`InvalidKeySet::Key`] for the first unusable key.
    pub fn read(set: &JwkSet) -> Result<Self, InvalidKeySet> {
        if set.keys.len() > MAX_KEYS {
            return Err(InvalidKeySet::TooManyKeys);
        }
        let mut keys: Vec<(Option<String>, DecodingKey)> = Vec::with_capacity(set.keys.len());
        for (index, jwk) in set.keys.iter().enumerate() {
            let invalid = |fault| InvalidKeySet::Key { index, fault };
            let key = read_key(jwk).map_err(invalid)?;
            match &jwk.kid {
                None if set.keys.len() > 1 => return Err(invalid(InvalidKey::KidMissing)),
                Some(kid) if kid.is_empty() => return Err(invalid(InvalidKey::KidEmpty)),
                Some(kid) if kid.len() > MAX_KID_BYTES => return Err(invalid(InvalidKey::KidTooLong)),
                kid if kid.is_some() && keys.iter().any(|(other, _)| other == kid) => {
                    return Err(invalid(InvalidKey::KidRepeated));
                }
                kid => keys.push((kid.clone(), key)),
            }
        }
        Ok(Self { keys })
    }

    /// `true` if the set has no key, so that no token can be verified.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the key with exactly this `kid`, or the only key of a set for a token without `kid`.
    ///
    /// # Errors
    /// [`Rejection::KidMissing`] if there is no `kid` and not exactly one key, [`Rejection::KeyUnknown`] if no key has
    /// this `kid`.
    pub(crate) fn find(&self, kid: Option<&str>) -> Result<&DecodingKey, Rejection> {
        match (kid, self.keys.as_slice()) {
            (None, [(_, only)]) => Ok(only),
            (None, _) => Err(Rejection::KidMissing),
            (kid, keys) => keys
                .iter()
                .find(|(name, _)| name.as_deref() == kid)
                .map(|(_, key)| key)
                .ok_or(Rejection::KeyUnknown),
        }
    }
}

/// Checks a key and prepares it for verification.
fn read_key(jwk: &Jwk) -> Result<DecodingKey, InvalidKey> {
    if jwk.kty != jwk::KEY_TYPE {
        return Err(InvalidKey::KtyUnexpected);
    }
    if let Some(name) = jwk.private.first() {
        return Err(InvalidKey::Private(name));
    }
    if jwk.use_.as_deref().is_some_and(|usage| usage != jwk::USE) {
        return Err(InvalidKey::UseUnexpected);
    }
    // RFC 7517 §4.3: a key must not be used for an operation that it is not for.
    if jwk
        .key_ops
        .as_ref()
        .is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"))
    {
        return Err(InvalidKey::KeyOpsUnexpected);
    }
    if jwk.alg.as_deref().is_some_and(|alg| alg != ALGORITHM) {
        return Err(InvalidKey::AlgUnexpected);
    }
    let modulus = jwk.n.as_deref().ok_or(InvalidKey::ModulusMissing)?;
    let modulus = read_uint(modulus).ok_or(InvalidKey::ModulusMalformed)?;
    let exponent = jwk.e.as_deref().ok_or(InvalidKey::ExponentMissing)?;
    let exponent = read_uint(exponent).ok_or(InvalidKey::ExponentUnfit)?;
    jwk::read_exponent(&exponent).ok_or(InvalidKey::ExponentUnfit)?;
    let (modulus, exponent) =
        (BoxedUint::from_be_slice_vartime(&modulus), BoxedUint::from_be_slice_vartime(&exponent));
    if !MODULUS_BITS.contains(&modulus.bit_width_vartime()) {
        return Err(InvalidKey::ModulusSize);
    }
    let key = rsa::RsaPublicKey::new(modulus, exponent).map_err(|_| InvalidKey::ModulusMalformed)?;
    let der = key.to_public_key_der().map_err(|_| InvalidKey::ModulusMalformed)?;
    Ok(DecodingKey::from_rsa_der(der.as_bytes()))
}

/// Decodes a `Base64urlUInt` (RFC 7518 §2) that is odd, as a modulus and its exponent are.
fn read_uint(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let odd = bytes.last()? & 1 == 1;
    (odd && *bytes.first()? != 0).then_some(bytes)
}

/// The IDs of the keys, for the log.
impl fmt::Display for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.keys.iter().map(|(kid, _)| kid.as_deref().unwrap_or("one without an ID"));
        formatter.write_str(&ids.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.keys.iter().map(|(kid, _)| kid)).finish()
    }
}

#[cfg(test)]
mod tests;
