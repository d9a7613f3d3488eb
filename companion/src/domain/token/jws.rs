//! Compact JWS (RFC 7515 §7.1): the only place that signs and verifies. The callers check the claims.
//!
//! jsonwebtoken's AWS-LC provider is called directly. `encode` and `decode` use the process-wide provider, which
//! another crate of the same build may have installed first, and panic if none is installed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::MAX_BYTES;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, decode_header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Token before verification. The header alone may be read, to find the key.
#[derive(Clone, Copy)]
pub struct Unverified<'a> {
    message: &'a str,
    claims: &'a str,
    signature: &'a str,
}

/// Fault of a text that is not a signed token with the expected claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidJws {
    /// The text is not three base64url parts, or longer than [`MAX_BYTES`].
    #[error("the token is not three base64url parts of at most {MAX_BYTES} bytes")]
    Malformed,
    /// The header is not a JOSE header (RFC 7515 §4).
    #[error("the token's header is malformed")]
    HeaderMalformed,
    /// The signature is not of this key.
    #[error("the token's signature is invalid")]
    SignatureInvalid,
    /// The claims are not JSON, or a required claim is missing or of another type.
    #[error("the token's claims are malformed")]
    ClaimsMalformed,
}

/// Failure of a private key or a secret to sign: the key is damaged, or the library is out of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signing key did not sign")]
pub struct SigningError;

impl<'a> Unverified<'a> {
    /// Splits a token into its parts.
    ///
    /// # Errors
    /// [`InvalidJws::Malformed`] if there are not three parts, or more than [`MAX_BYTES`].
    pub fn split(token: &'a str) -> Result<Self, InvalidJws> {
        if token.len() > MAX_BYTES {
            return Err(InvalidJws::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(InvalidJws::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(InvalidJws::Malformed)?;
        if header.is_empty() || claims.contains('.') {
            return Err(InvalidJws::Malformed);
        }
        Ok(Self { message, claims, signature })
    }

    /// Decodes the header, with the key ID and the type. An attacker may have written it.
    ///
    /// # Errors
    /// [`InvalidJws::HeaderMalformed`] if it is not a JOSE header.
    pub fn header(&self) -> Result<Header, InvalidJws> {
        // `decode_header` reads the first of three parts and ignores the others.
        decode_header(format!("{}.", self.message)).map_err(|_| InvalidJws::HeaderMalformed)
    }

    /// Verifies the signature by `key` and the header's algorithm, which the caller has pinned, and decodes the claims.
    ///
    /// # Errors
    /// [`InvalidJws::SignatureInvalid`] if `key` did not sign the token, [`InvalidJws::Malformed`] and
    /// [`InvalidJws::ClaimsMalformed`] if a part cannot be decoded.
    pub fn verify<T: DeserializeOwned>(&self, header: &Header, key: &DecodingKey) -> Result<T, InvalidJws> {
        let signature = URL_SAFE_NO_PAD.decode(self.signature).map_err(|_| InvalidJws::Malformed)?;
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&header.alg, key)
            .map_err(|_| InvalidJws::SignatureInvalid)?;
        verifier.verify(self.message.as_bytes(), &signature).map_err(|_| InvalidJws::SignatureInvalid)?;
        let claims = URL_SAFE_NO_PAD.decode(self.claims).map_err(|_| InvalidJws::Malformed)?;
        serde_json::from_slice(&claims).map_err(|_| InvalidJws::ClaimsMalformed)
    }
}

/// Serializes and signs claims. The header names the algorithm of `sign`, which returns the signature of a message.
///
/// # Errors
/// [`SigningError`] if `sign` fails, or if the header or the claims are not serializable.
pub fn sign<T: Serialize>(
    header: &Header,
    claims: &T,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, SigningError>,
) -> Result<String, SigningError> {
    let encode = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    let header = encode(serde_json::to_vec(header).map_err(|_| SigningError)?);
    let claims = encode(serde_json::to_vec(claims).map_err(|_| SigningError)?);
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes())?);
    Ok(format!("{message}.{signature}"))
}

/// Signs a message by HS256 (RFC 7518 §3.2).
///
/// # Errors
/// [`SigningError`] if the library does not sign.
pub fn hmac(message: &[u8], key: &EncodingKey) -> Result<Vec<u8>, SigningError> {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, key).map_err(|_| SigningError)?;
    signer.try_sign(message).map_err(|_| SigningError)
}
