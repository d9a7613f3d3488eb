//! The refresh token: it names a session and a generation. `domain::session` decides what that generation gets.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::Duration;

use super::access_token::TokenSubject;
use super::jws::{self, InvalidJws, SigningError, Unverified};
use crate::domain::{SessionId, UserId};

/// Header `typ` of a refresh token. No other token may have it (RFC 8725 §3.11).
pub const REFRESH_TOKEN_TYP: &str = "rt+jwt";

/// Signs and verifies refresh tokens.
pub struct RefreshTokens {
    issuer: String,
    ttl: Duration,
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
}

/// Claims of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshClaims {
    /// User of the session.
    pub user_id: UserId,
    /// Session.
    pub session_id: SessionId,
    /// Generation of the token within its session, from 1 on.
    pub generation: i64,
    /// Time of issue, in seconds since 1970.
    pub issued_at: i64,
}

/// Reason that a refresh token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefreshTokenRejection {
    /// The text is not a token, or no secret has signed it.
    #[error(transparent)]
    Jws(#[from] InvalidJws),
    /// The algorithm is not HS256.
    #[error("the token's algorithm is not HS256")]
    AlgorithmUnexpected,
    /// The token is of another kind.
    #[error("the token's type is not {REFRESH_TOKEN_TYP}")]
    TypUnexpected,
    /// The header requires an extension, and none is supported (RFC 7515 §4.1.11).
    #[error("the token's header requires an extension")]
    CritPresent,
    /// The token is from another issuer.
    #[error("the token is from another issuer")]
    IssuerUnexpected,
    /// The claim `sub` is not a user ID, or `jti` is not `<session>.<generation>`.
    #[error("the token's subject or ID is malformed")]
    IdMalformed,
}

impl RefreshTokenRejection {
    /// Returns `true` if no secret has signed the text: whoever presents it has made it up.
    #[must_use]
    pub fn is_made_up(self) -> bool {
        !matches!(self, Self::Jws(InvalidJws::ClaimsMalformed) | Self::IssuerUnexpected | Self::IdMalformed)
    }
}

impl RefreshClaims {
    /// Returns the user and session of the token, and its time of issue.
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
    /// Takes the secrets, the newest first: that one signs, and all of them verify. `ttl` is the lifetime of a token.
    /// `None` if there is no secret.
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

    /// Verifies a token, and returns its claims. `exp` is not checked: the session's own expiry is, and no token
    /// outlives its session.
    ///
    /// # Errors
    /// [`RefreshTokenRejection`] names the first check that failed.
    pub fn verify(&self, token: &str) -> Result<RefreshClaims, RefreshTokenRejection> {
        let token = Unverified::split(token)?;
        let header = token.header()?;
        if header.alg != Algorithm::HS256 {
            return Err(RefreshTokenRejection::AlgorithmUnexpected);
        }
        if header.typ.as_deref() != Some(REFRESH_TOKEN_TYP) {
            return Err(RefreshTokenRejection::TypUnexpected);
        }
        if header.crit.is_some() {
            return Err(RefreshTokenRejection::CritPresent);
        }
        let mut fault = InvalidJws::SignatureInvalid;
        for key in &self.verifying {
            match token.verify::<Claims>(&header, key) {
                Ok(claims) => return self.check_claims(&claims),
                Err(error) => fault = error,
            }
        }
        Err(fault.into())
    }

    fn check_claims(&self, claims: &Claims) -> Result<RefreshClaims, RefreshTokenRejection> {
        if claims.iss != self.issuer {
            return Err(RefreshTokenRejection::IssuerUnexpected);
        }
        let read_ids = || {
            let (session, generation) = claims.jti.split_once('.')?;
            Some(RefreshClaims {
                user_id: claims.sub.parse().ok()?,
                session_id: session.parse().ok()?,
                // The greatest number is excluded, so that every generation has a successor.
                generation: generation
                    .parse()
                    .ok()
                    .filter(|generation| (1..i64::MAX).contains(generation))?,
                issued_at: claims.iat,
            })
        };
        read_ids().ok_or(RefreshTokenRejection::IdMalformed)
    }
}

#[cfg(test)]
mod tests;
