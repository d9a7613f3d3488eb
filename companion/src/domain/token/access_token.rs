//! The access token (RFC 9068). The companion signs it, gateways verify it, and the companion verifies it again on its
//! own routes. The database decides if its session still lives.

use edgeward_wire::{ACCESS_TOKEN_TYP, AccessClaims};
use jsonwebtoken::{Algorithm, Header};
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::jws::{self, InvalidJws, SigningError, Unverified};
use super::key_set::KeySet;
use crate::domain::account::role::Role;
use crate::domain::{SessionId, UserId};

/// Signs and verifies access tokens.
pub struct AccessTokens {
    /// Claim `iss`.
    pub issuer: String,
    /// Claim `aud`.
    pub audience: String,
    /// Lifetime of a token.
    pub ttl: Duration,
}

/// User and session of a verified token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSubject {
    /// User, from the claim `sub`.
    pub user_id: UserId,
    /// Session, from the claim `sid`.
    pub session_id: SessionId,
    /// Time of issue, in seconds since 1970, from the claim `iat`.
    pub issued_at: i64,
}

/// Treatment of a token's expiration time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// An expired token is rejected.
    Enforced,
    /// An expired token is accepted, to end its own session.
    Ignored,
}

/// Reason that an access token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AccessTokenRejection {
    /// The text is not a token, or its signature is invalid.
    #[error(transparent)]
    Jws(#[from] InvalidJws),
    /// The algorithm is not RS256.
    #[error("the token's algorithm is not RS256")]
    AlgorithmUnexpected,
    /// The token is of another kind.
    #[error("the token's type is not {ACCESS_TOKEN_TYP}")]
    TypUnexpected,
    /// The header requires an extension, and none is supported (RFC 7515 §4.1.11).
    #[error("the token's header requires an extension")]
    CritPresent,
    /// No key has the header's key ID, or there is none.
    #[error("the token's key is unknown")]
    KeyUnknown,
    /// The token is from another issuer.
    #[error("the token is from another issuer")]
    IssuerUnexpected,
    /// The token is for another audience.
    #[error("the token is for another audience")]
    AudienceUnexpected,
    /// The subject is not a user ID.
    #[error("the token's subject is not a user ID")]
    SubjectMalformed,
    /// The token has expired. Times are in seconds since 1970.
    #[error("the token expired at {expired_at}, and it is {now}")]
    Expired {
        /// Expiration time of the token.
        expired_at: i64,
        /// Time of the check.
        now: i64,
    },
}

impl AccessTokens {
    /// Signs a token for a session, with the user's role at this time.
    ///
    /// # Errors
    /// [`SigningError`] if the key does not sign.
    pub fn sign(&self, keys: &KeySet, subject: TokenSubject, role: &Role) -> Result<String, SigningError> {
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: subject.user_id.to_string(),
            role: role.as_str().to_owned(),
            sid: subject.session_id.0,
            iat: subject.issued_at,
            exp: subject.issued_at + self.ttl.whole_seconds(),
        };
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(ACCESS_TOKEN_TYP.to_owned());
        let key = keys.signing();
        header.kid = Some(key.public().kid().to_owned());
        jws::sign(&header, &claims, |message| key.sign(message))
    }

    /// Verifies a token, and returns its user and session.
    ///
    /// # Errors
    /// [`AccessTokenRejection`] names the first check that failed.
    pub fn verify(
        &self,
        keys: &KeySet,
        token: &str,
        now: OffsetDateTime,
        expiry: Expiry,
    ) -> Result<TokenSubject, AccessTokenRejection> {
        let token = Unverified::split(token)?;
        let header = token.header()?;
        // RFC 8725 §3.1: the verifier chooses the algorithm, not the token.
        if header.alg != Algorithm::RS256 {
            return Err(AccessTokenRejection::AlgorithmUnexpected);
        }
        // RFC 8725 §3.11: a token of another kind must never pass as an access token.
        if header.typ.as_deref() != Some(ACCESS_TOKEN_TYP) {
            return Err(AccessTokenRejection::TypUnexpected);
        }
        if header.crit.is_some() {
            return Err(AccessTokenRejection::CritPresent);
        }
        let key = header.kid.as_deref().and_then(|kid| keys.verifying_key(kid));
        let claims = token.verify(&header, key.ok_or(AccessTokenRejection::KeyUnknown)?)?;
        self.check_claims(&claims, now.unix_timestamp(), expiry)
    }

    /// Checks the claims at a time in seconds since 1970.
    fn check_claims(
        &self,
        claims: &AccessClaims,
        now: i64,
        expiry: Expiry,
    ) -> Result<TokenSubject, AccessTokenRejection> {
        if claims.iss != self.issuer {
            return Err(AccessTokenRejection::IssuerUnexpected);
        }
        if claims.aud != self.audience {
            return Err(AccessTokenRejection::AudienceUnexpected);
        }
        let user_id = claims.sub.parse().map_err(|_| AccessTokenRejection::SubjectMalformed)?;
        if expiry == Expiry::Enforced && claims.exp <= now {
            return Err(AccessTokenRejection::Expired { expired_at: claims.exp, now });
        }
        Ok(TokenSubject { user_id, session_id: SessionId(claims.sid), issued_at: claims.iat })
    }
}

#[cfg(test)]
mod tests;
