//! The refresh token: a signed name of a session and a generation. Whether that is the live one is not judged here.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::Duration;

use super::access_token::TokenSubject;
use super::jws::{self, InvalidJws, SigningError, Unverified};
use crate::domain::{SessionId, UserId};

/// The `typ` header of a refresh token; no access token has it.
pub const REFRESH_TOKEN_TYP: &str = "rt+jwt";

/// Makes and verifies refresh tokens.
pub struct RefreshTokens {
    issuer: String,
    ttl: Duration,
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
}

/// What a refresh token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshClaims {
    /// Whose session it is.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// Which of the session's tokens this one is.
    pub generation: i64,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
}

/// Why a refresh token is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokenRejection {
    /// Not a token, or not signed with a secret of ours.
    Jws(InvalidJws),
    /// Not HS256.
    AlgorithmForeign,
    /// Another kind of token.
    TypeForeign,
    /// The header asks for extensions, of which we know none (RFC 7515 §4.1.11).
    Critical,
    /// From somebody else.
    IssuerForeign,
    /// The subject or the token's name is not of our form.
    NameMalformed,
}

impl RefreshClaims {
    /// User and session of the token, and when it was made.
    #[must_use]
    pub fn subject(self) -> TokenSubject {
        let Self { user_id, session_id, issued_at, .. } = self;
        TokenSubject { user_id, session_id, issued_at }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    jti: String,
    iat: i64,
    exp: i64,
}

impl RefreshTokens {
    /// Signs with the newest secret, verifies with any. Without a secret there is nothing to make: `None`.
    #[must_use]
    pub fn new(issuer: String, ttl: Duration, secrets: &[SecretString]) -> Option<Self> {
        let bytes = |secret: &SecretString| secret.expose_secret().as_bytes().to_vec();
        let signing = EncodingKey::from_secret(&bytes(secrets.first()?));
        let verifying = secrets.iter().map(|secret| DecodingKey::from_secret(&bytes(secret))).collect();
        Some(Self { issuer, ttl, signing, verifying })
    }

    /// Signs a token with these claims.
    ///
    /// # Errors
    /// [`SigningError`] if the secret does not sign.
    pub fn sign(&self, claims: RefreshClaims) -> Result<String, SigningError> {
        let serialized = Claims {
            iss: self.issuer.clone(),
            sub: claims.user_id.to_string(),
            jti: format!("{}.{}", claims.session_id, claims.generation),
            iat: claims.issued_at,
            exp: claims.issued_at + self.ttl.whole_seconds(),
        };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(REFRESH_TOKEN_TYP.to_owned());
        jws::sign(&header, &serialized, |message| jws::hmac(message, &self.signing))
    }

    /// What the token says, if it is one of ours. Its `exp` is not judged: the session's own expiry is, and a
    /// token never outlives its session.
    pub fn verify(&self, token: &str) -> Result<RefreshClaims, RefreshTokenRejection> {
        let token = Unverified::split(token).map_err(RefreshTokenRejection::Jws)?;
        let header = token.header().map_err(RefreshTokenRejection::Jws)?;
        if header.alg != Algorithm::HS256 {
            return Err(RefreshTokenRejection::AlgorithmForeign);
        }
        if header.typ.as_deref() != Some(REFRESH_TOKEN_TYP) {
            return Err(RefreshTokenRejection::TypeForeign);
        }
        if header.crit.is_some() {
            return Err(RefreshTokenRejection::Critical);
        }
        let mut refused = InvalidJws::SignatureInvalid;
        for key in &self.verifying {
            match token.verify::<Claims>(&header, key) {
                Ok(claims) => return self.judge(&claims),
                Err(reason) => refused = reason,
            }
        }
        Err(RefreshTokenRejection::Jws(refused))
    }

    fn judge(&self, claims: &Claims) -> Result<RefreshClaims, RefreshTokenRejection> {
        if claims.iss != self.issuer {
            return Err(RefreshTokenRejection::IssuerForeign);
        }
        let named = || {
            let (session, generation) = claims.jti.split_once('.')?;
            Some(RefreshClaims {
                user_id: claims.sub.parse().ok()?,
                session_id: session.parse().ok()?,
                // Each has a successor.
                generation: generation
                    .parse()
                    .ok()
                    .filter(|generation| (1..i64::MAX).contains(generation))?,
                issued_at: claims.iat,
            })
        };
        named().ok_or(RefreshTokenRejection::NameMalformed)
    }
}
