//! One RSA key, private or public: generation, PEM, and the key ID. [`key_set`](super::key_set) has the keys in use.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKey as RsaPublicKey};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::ALGORITHM;
use edgeward_wire::jwk::{self, Jwk, MODULUS_BITS};
use jsonwebtoken::DecodingKey;
use pem_rfc7468::LineEnding;
use secrecy::SecretString;

use super::invalid_key::{InvalidKey, MAX_SIGNING_BITS};
use super::jws::SigningError;
use super::pem;

/// Public key with its key ID.
#[derive(Clone)]
pub struct PublicKey {
    pub(super) jwk: Jwk,
    kid: String,
    pub(super) verifying: DecodingKey,
    spki: Vec<u8>,
    bits: u32,
}

/// Private key. It has no `Debug`, so that no log can show it.
pub struct PrivateKey {
    pair: KeyPair,
    pkcs8: Vec<u8>,
    public: PublicKey,
}

impl PrivateKey {
    /// Generates a key, in about 0.1 s for 2,048 bits. `None` if the library fails, or if the size is above
    /// [`MAX_SIGNING_BITS`].
    #[must_use]
    pub fn generate(size: KeySize) -> Option<Self> {
        let pair = KeyPair::generate(size).ok()?;
        Self::from_pkcs8(AsDer::as_der(&pair).ok()?.as_ref()).ok()
    }

    /// Reads PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`) from PEM.
    ///
    /// # Errors
    /// [`InvalidKey`] names the fault of the file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidKey> {
        let (label, der) = pem::find(pem, &["PRIVATE KEY", "RSA PRIVATE KEY"])?;
        if label == "PRIVATE KEY" {
            return Self::from_pkcs8(&der);
        }
        let pair = KeyPair::from_der(&der).map_err(|_| InvalidKey::NotRsa)?;
        Self::from_pkcs8(AsDer::as_der(&pair).map_err(|_| InvalidKey::NotRsa)?.as_ref())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, InvalidKey> {
        let pair = KeyPair::from_pkcs8(der).map_err(|_| pem::find_fault(der))?;
        let public = PublicKey::new(pair.public_key())?;
        if public.bits > MAX_SIGNING_BITS {
            return Err(InvalidKey::TooLargeToSign);
        }
        Ok(Self { pair, pkcs8: der.to_vec(), public })
    }

    /// Writes the key as PKCS#8 PEM. `None` if it is too large for the encoder.
    #[must_use]
    pub fn to_pem(&self) -> Option<SecretString> {
        pem_rfc7468::encode_string("PRIVATE KEY", LineEnding::LF, &self.pkcs8).ok().map(SecretString::from)
    }

    /// Signs a message by RS256 (RFC 7518 §3.3), in some 0.3 ms for 2,048 bits. The key is parsed once and kept:
    /// jsonwebtoken parses and checks it for every signature, which takes five times as long as signing.
    ///
    /// # Errors
    /// [`SigningError`] if the library does not sign.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SigningError)?;
        Ok(signature)
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl PublicKey {
    fn new(key: &RsaPublicKey) -> Result<Self, InvalidKey> {
        let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        let (modulus, exponent) = (key.modulus(), key.exponent());
        let (n_bytes, e_bytes) =
            (modulus.big_endian_without_leading_zero(), exponent.big_endian_without_leading_zero());
        let leading_zeros = n_bytes.first().map_or(0, |byte| byte.leading_zeros());
        let bits = u32::try_from(n_bytes.len() * 8).ok().map(|bits| bits - leading_zeros);
        let bits = bits.filter(|bits| MODULUS_BITS.contains(bits)).ok_or(InvalidKey::WrongSize)?;
        jwk::read_exponent(e_bytes).ok_or(InvalidKey::WrongExponent)?;
        let (n, e) = (encode(n_bytes), encode(e_bytes));
        // RFC 7638 §3.2: these members, in this order, without white space.
        let thumbprint = digest(&SHA256, format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes());
        let kid = encode(thumbprint.as_ref());
        let verifying = DecodingKey::from_rsa_components(&n, &e).map_err(|_| InvalidKey::NotRsa)?;
        let jwk = Jwk {
            kty: jwk::KEY_TYPE.to_owned(),
            kid: Some(kid.clone()),
            alg: Some(ALGORITHM.to_owned()),
            use_: Some(jwk::USE.to_owned()),
            n: Some(n),
            e: Some(e),
            ..Jwk::default()
        };
        let spki = AsDer::as_der(key).map_err(|_| InvalidKey::NotRsa)?.as_ref().to_vec();
        Ok(Self { jwk, kid, verifying, spki, bits })
    }

    /// Reads `SubjectPublicKeyInfo` (`PUBLIC KEY`) or PKCS#1 (`RSA PUBLIC KEY`) from PEM.
    ///
    /// # Errors
    /// [`InvalidKey`] names the fault of the file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidKey> {
        let (_, der) = pem::find(pem, &["PUBLIC KEY", "RSA PUBLIC KEY"])?;
        Self::new(&RsaPublicKey::from_der(&der).map_err(|_| pem::find_fault(&der))?)
    }

    /// Writes the key as `SubjectPublicKeyInfo` in PEM. `None` if it is too large for the encoder.
    #[must_use]
    pub fn to_pem(&self) -> Option<String> {
        pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &self.spki).ok()
    }

    /// Returns the key ID (`kid`): the RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the size of the modulus, in bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }
}

#[cfg(test)]
mod tests;
