//! RS256 for jsonwebtoken: a crypto provider that verifies this one algorithm and signs nothing, and its pure-Rust
//! backend. `keys` checks the keys themselves.

use std::cell::RefCell;
use std::sync::Arc;

use crypto_bigint::BoxedUint;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use edgeward_wire::jwk::MAX_KEYS;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error as Mismatch, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::{Digest, Sha256};
use rsa::traits::PublicKeyParts;

/// Verifier of RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2).
pub trait Backend: 'static {
    /// `true` if `signature` is valid for `message` and `key`, a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

/// Backend in pure Rust, for hosts without one of their own.
pub struct SoftwareRsa;

impl Backend for SoftwareRsa {
    fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        cached_key(key)
            .is_some_and(|key| key.size() == signature.len() && is_signed(&key, message, signature))
    }
}

thread_local! {
    /// Parsed keys by their DER form. To parse a key costs a third of a verification, so each is parsed once.
    static KEYS: RefCell<Vec<(Vec<u8>, Arc<RsaPublicKey>)>> = const { RefCell::new(Vec::new()) };
}

/// Returns the parsed key, from the cache if it is there; `None` if it is not an RSA key.
fn cached_key(der: &[u8]) -> Option<Arc<RsaPublicKey>> {
    KEYS.with_borrow_mut(|keys| {
        if let Some((_, key)) = keys.iter().find(|(this, _)| this == der) {
            return Some(Arc::clone(key));
        }
        let key = Arc::new(RsaPublicKey::from_public_key_der(der).ok()?);
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        keys.push((der.to_vec(), Arc::clone(&key)));
        Some(key)
    })
}

/// `true` if the signature decrypts to the message's encoding (RFC 8017 §8.2.2). The encodings are compared, because a
/// parsed signature would be trusted for its own structure.
fn is_signed(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    let bits = key.n().bits_precision();
    let Ok(signature) = BoxedUint::from_be_slice(signature, bits) else { return false };
    let Some(encoded) = encode(message, key.size()) else { return false };
    let Ok(encoded) = BoxedUint::from_be_slice(&encoded, bits) else { return false };
    signature < **key.n() && power(signature, key.e(), key.n_params()) == encoded
}

/// Computes RSAVP1 (RFC 8017 §5.2.2), from the left to the right of the exponent. The exponent is public, and so short
/// that the usual table of powers would cost more than the multiplications.
fn power(base: BoxedUint, exponent: &BoxedUint, modulus: &BoxedMontyParams) -> BoxedUint {
    let base = BoxedMontyForm::new(base, modulus);
    let mut power = base.clone();
    for bit in (0..exponent.bit_width_vartime().saturating_sub(1)).rev() {
        power = power.square();
        if exponent.bit_vartime(bit) {
            power *= &base;
        }
    }
    power.retrieve()
}

/// Encodes a message by EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §9.2) in `length` bytes; `None` if that is too short.
fn encode(message: &[u8], length: usize) -> Option<Vec<u8>> {
    // DigestInfo up to the digest (RFC 8017 §9.2, note 1).
    const SHA_256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let digest = Sha256::digest(message);
    let padding = length.checked_sub(3 + SHA_256.len() + digest.len()).filter(|&padding| padding >= 8)?;
    Some([&[0, 1], &*vec![0xff; padding], &[0], &SHA_256, &digest].concat())
}

/// Installs a backend as the process-wide provider of jsonwebtoken. A later call changes nothing.
pub fn install<B: Backend>() {
    let provider = Box::new(CryptoProvider {
        signer_factory: no_signer,
        verifier_factory: verifier::<B>,
        key_utils: KeyUtils::new_unimplemented(),
    });
    let _ = Box::leak(provider).install_default();
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is jsonwebtoken's")]
fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is jsonwebtoken's")]
fn verifier<B: Backend>(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    match algorithm {
        Algorithm::RS256 => {
            let key = key.try_get_as_bytes()?.to_vec();
            Ok(Box::new(Rs256::<B> { key, backend: std::marker::PhantomData }))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

/// Verifier with one key.
struct Rs256<B> {
    key: Vec<u8>,
    backend: std::marker::PhantomData<B>,
}

impl<B: Backend> Verifier<Vec<u8>> for Rs256<B> {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Mismatch> {
        if B::verify(&self.key, message, signature) { Ok(()) } else { Err(Mismatch::new()) }
    }
}

impl<B: Backend> JwtVerifier for Rs256<B> {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_equals_the_library_s_for_every_size_of_key_and_exponent() {
        for bytes in [256_usize, 257, 320, 384, 512, 1024] {
            let number = |seed: usize| -> Vec<u8> {
                (0..bytes).map(|at| u8::try_from((at * 151 + seed) % 256).unwrap() | 1).collect()
            };
            let bits = u32::try_from(bytes * 8).unwrap().next_multiple_of(64);
            let read = |seed| BoxedUint::from_be_slice(&number(seed), bits).unwrap();
            let modulus = BoxedMontyParams::new_vartime(read(200).to_odd().unwrap());
            for exponent in [3_u64, 65_537, 65_539, 0x1_0101, u32::MAX.into()] {
                let (base, exponent) = (read(7), BoxedUint::from(exponent));
                let expected = BoxedMontyForm::new(base.clone(), &modulus).pow(&exponent).retrieve();
                assert_eq!(power(base, &exponent, &modulus), expected, "{bytes} {exponent}");
            }
        }
    }

    #[test]
    fn message_is_encoded_as_in_the_standard_or_not_at_all() {
        assert_eq!(encode(b"", 61), None);
        let encoded = encode(b"", 62).unwrap();
        assert_eq!(encoded[..11], [0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0]);
        assert_eq!((encoded.len(), &encoded[30..34]), (62, &[0xe3, 0xb0, 0xc4, 0x42][..]));
    }
}
