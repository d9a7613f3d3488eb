//! Compact JWS (RFC 7515 §7.1): the one place that signs and verifies. It judges no claim.
//!
//! jsonwebtoken's AWS-LC provider is called directly. `encode` and `decode` would take the process-wide
//! provider, which another crate of the same build may have installed first, and which panics when none is.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::MAX_BYTES;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, decode_header};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A token of which nothing was verified: only the header may be read, to find the key.
#[derive(Clone, Copy)]
pub struct Unverified<'a> {
    message: &'a str,
    claims: &'a str,
    signature: &'a str,
}

/// Why a token is refused before its claims are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidJws {
    /// Not three base64url parts, or longer than [`MAX_BYTES`].
    Malformed,
    /// The header is not a JSON object that a token of ours could have.
    HeaderMalformed,
    /// The key did not sign this.
    SignatureInvalid,
    /// The claims are not those of this kind of token.
    ClaimsMalformed,
}

/// The private key did not sign: it is damaged, or the library is out of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningError;

impl<'a> Unverified<'a> {
    /// Takes a token apart.
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

    /// What the token says about its key and type. An attacker may have written it.
    pub fn header(&self) -> Result<Header, InvalidJws> {
        // `decode_header` looks at the first of three parts and at nothing else.
        decode_header(format!("{}.", self.message)).map_err(|_| InvalidJws::HeaderMalformed)
    }

    /// The claims, if `key` signed them with the header's algorithm. The caller has pinned that algorithm.
    pub fn verify<T: DeserializeOwned>(&self, header: &Header, key: &DecodingKey) -> Result<T, InvalidJws> {
        let signature = URL_SAFE_NO_PAD.decode(self.signature).map_err(|_| InvalidJws::Malformed)?;
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&header.alg, key)
            .map_err(|_| InvalidJws::SignatureInvalid)?;
        verifier.verify(self.message.as_bytes(), &signature).map_err(|_| InvalidJws::SignatureInvalid)?;
        let claims = URL_SAFE_NO_PAD.decode(self.claims).map_err(|_| InvalidJws::Malformed)?;
        serde_json::from_slice(&claims).map_err(|_| InvalidJws::ClaimsMalformed)
    }
}

/// A token of these claims under this header, which names the algorithm that `sign` signs the message with.
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

/// An HS256 signature (RFC 7518 §3.2).
pub fn hmac(message: &[u8], key: &EncodingKey) -> Result<Vec<u8>, SigningError> {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, key).map_err(|_| SigningError)?;
    signer.try_sign(message).map_err(|_| SigningError)
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signing key did not sign")
    }
}

impl std::error::Error for SigningError {}
