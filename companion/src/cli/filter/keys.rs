//! Keys that signatures are checked with, and the crypto provider that does it, which is one for the whole process.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use edgeward_filter::explain::unverified_kid;
use edgeward_filter::keys::KeySet;
use edgeward_filter::rs256::{self, Backend, SoftwareRsa};
use edgeward_wire::{Jwk, JwkSet};

/// Crypto backend that accepts every signature.
struct AssumedValid;

impl Backend for AssumedValid {
    fn verify(_: &[u8], _: &[u8], _: &[u8]) -> bool {
        true
    }
}

/// Makes the process check signatures.
pub(super) fn check_signatures() {
    rs256::install::<SoftwareRsa>();
}

/// Makes the process accept every signature. Returns a key set with the key that the token names, so that the verdict is
/// the one on a token that the companion has signed.
///
/// # Errors
/// The core rejects the key set, which cannot happen.
pub(super) fn assume_signatures(token: Option<&[u8]>) -> anyhow::Result<KeySet> {
    rs256::install::<AssumedValid>();
    let jwk = Jwk {
        kty: "RSA".to_owned(),
        kid: token.and_then(unverified_kid),
        // An odd number of 2,048 bits, which is all that a key set requires of a modulus.
        n: Some(format!("{}w", "_".repeat(341))),
        e: Some("AQAB".to_owned()),
        ..Jwk::default()
    };
    // A key ID that no key may have is found as the token's fault.
    let named = KeySet::read(&JwkSet { keys: vec![jwk.clone()] });
    named.or_else(|_| KeySet::read(&JwkSet { keys: vec![Jwk { kid: None, ..jwk }] })).map_err(Into::into)
}

/// Reads a JWK set, as `edgeward keys jwk` prints it and `/.well-known/jwks.json` serves it.
///
/// # Errors
/// The file cannot be read, or is not a JWK set that the filter accepts.
pub(super) fn read(path: &Path) -> anyhow::Result<KeySet> {
    let file = path.display();
    let text = fs::read(path).with_context(|| format!("{file} cannot be read"))?;
    let set: JwkSet = serde_json::from_slice(&text).with_context(|| {
        format!(
            "{file} is not a JWK set (RFC 7517 §5), {{\"keys\": [ … ]}}, as `edgeward keys jwk` prints it"
        )
    })?;
    KeySet::read(&set).with_context(|| format!("{file} has a key that the filter does not accept"))
}
