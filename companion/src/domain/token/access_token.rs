//! The access token (RFC 9068). The companion signs it, gateways verify it, and the companion verifies it again on its
//! own routes. The database decides if its session still lives.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::access_token::{CLIENT_ID, MAX_ISSUED_BYTES};
use edgeward_wire::{ACCESS_TOKEN_TYP, AccessClaims};
use jsonwebtoken::{Algorithm, Header};
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::jws::{self, InvalidJws, SigningError, Unverified};
use super::key_set::KeySet;
use crate::domain::session::TokenContent;
use crate::domain::{SessionId, UserId};

/// Number of bytes of a token's ID. Chosen: two tokens never have the same one by chance.
const ID_BYTES: usize = 12;

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
    /// It has at most [`MAX_ISSUED_BYTES`]. Only with a key of 3,072 bits and names near their limits would it have more.
    /// Then the claims give way that no verifier needs, and if that is not enough, those without which rules that demand a
    /// fresh proof reject it.
    ///
    /// # Errors
    /// [`SigningError`] if the key does not sign.
    pub fn sign(&self, keys: &KeySet, content: &TokenContent) -> Result<String, SigningError> {
        let mut claims = self.claims(content)?;
        let mut token = sign(keys, &claims)?;
        if token.len() > MAX_ISSUED_BYTES {
            claims = AccessClaims { jti: None, client_id: None, ..claims };
            token = sign(keys, &claims)?;
        }
        if token.len() > MAX_ISSUED_BYTES {
            token = sign(keys, &AccessClaims { auth_time: None, amr: None, ..claims })?;
        }
        Ok(token)
    }

    fn claims(&self, content: &TokenContent) -> Result<AccessClaims, SigningError> {
        let TokenContent { claims, role, authentication } = content;
        let subject = claims.subject();
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: subject.user_id.to_string(),
            role: role.as_str().to_owned(),
            sid: subject.session_id.0,
            iat: subject.issued_at,
            exp: subject.issued_at + self.ttl.whole_seconds(),
            auth_time: Some(authentication.time.unix_timestamp()),
            amr: Some(authentication.methods.names().to_vec()),
            jti: None,
            client_id: Some(CLIENT_ID.to_owned()),
        };
        let jti = token_id(&claims)?;
        Ok(AccessClaims { jti: Some(jti), ..claims })
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

fn sign(keys: &KeySet, claims: &AccessClaims) -> Result<String, SigningError> {
    let key = keys.signing();
    let mut header = Header::new(Algorithm::RS256);
    header.typ = Some(ACCESS_TOKEN_TYP.to_owned());
    header.kid = Some(key.public().kid().to_owned());
    jws::sign(&header, claims, |message| key.sign(message))
}

/// Returns the ID of the token with these claims: a hash of them, so that a repeated token has the same.
fn token_id(claims: &AccessClaims) -> Result<String, SigningError> {
    let claims = serde_json::to_vec(claims).map_err(|_| SigningError)?;
    let hash = digest(&SHA256, &claims);
    Ok(URL_SAFE_NO_PAD.encode(hash.as_ref().get(..ID_BYTES).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
