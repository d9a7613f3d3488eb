//! RS256 for jsonwebtoken: a crypto provider that verifies this one algorithm and signs nothing, and its
//! pure-Rust backend. Which keys are good enough is `keys`' business.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error as Mismatch, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::Sha256;

/// Something that checks RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2).
pub trait Backend: 'static {
    /// Whether `signature` is the key's over `message`. The key is a DER `SubjectPublicKeyInfo`.
    fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

/// The backend that needs nothing but a processor.
pub struct Pure;

impl Backend for Pure {
    fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        rsa::PublicKey::from_public_key_der(key)
            .is_ok_and(|key| key.pkcs1v15_verify::<Sha256>(message, signature).is_ok())
    }
}

/// Makes this backend the one that jsonwebtoken verifies with, once for the whole process; a later call
/// changes nothing.
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
