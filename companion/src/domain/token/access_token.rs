//! The access token (RFC 9068): signed here, verified at the edge, and here again for `self` and `logout`.
//! Whether its session still lives is the database's to say.

use edgeward_wire::{ACCESS_TOKEN_TYP, AccessClaims};
use jsonwebtoken::{Algorithm, Header};
use time::{Duration, OffsetDateTime};

use super::jws::{self, InvalidJws, SigningError, Unverified};
use super::key_set::CurrentKeys;
use crate::domain::account::role::Role;
use crate::domain::{SessionId, UserId};

/// Makes and verifies access tokens.
pub struct AccessTokens {
    /// The keys that sign and verify.
    pub keys: CurrentKeys,
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
    /// How long a token is valid.
    pub ttl: Duration,
}

/// User and session of a verified token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSubject {
    /// The user.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
}

/// Whether a token's expiry counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// An expired token is refused.
    Counts,
    /// An expired token is good enough: it ends its own session.
    IsIgnored,
}

/// Why an access token is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessTokenRejection {
    /// Not a token, or not signed by a key of ours.
    Jws(InvalidJws),
    /// Not RS256.
    AlgorithmForeign,
    /// Another kind of token.
    TypeForeign,
    /// The header asks for extensions, of which we know none (RFC 7515 §4.1.11).
    Critical,
    /// No key of that name.
    KeyUnknown,
    /// From somebody else.
    IssuerForeign,
    /// For somebody else.
    AudienceForeign,
    /// The subject is not a user's number.
    SubjectMalformed,
    /// Too late.
    Expired,
}

impl AccessTokens {
    /// Signs a token for a session.
    ///
    /// # Errors
    /// [`SigningError`] if the key does not sign.
    pub fn sign(&self, subject: TokenSubject, role: &Role) -> Result<String, SigningError> {
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
        let keys = self.keys.current();
        let key = keys.signing();
        header.kid = Some(key.public().kid().to_owned());
        jws::sign(&header, &claims, |message| key.sign(message))
    }

    /// Verifies a token, and gives its user and session.
    pub fn verify(
        &self,
        token: &str,
        now: OffsetDateTime,
        expiry: Expiry,
    ) -> Result<TokenSubject, AccessTokenRejection> {
        let token = Unverified::split(token).map_err(AccessTokenRejection::Jws)?;
        let header = token.header().map_err(AccessTokenRejection::Jws)?;
        // RFC 8725 §3.1: the algorithm is ours to choose, not the token's.
        if header.alg != Algorithm::RS256 {
            return Err(AccessTokenRejection::AlgorithmForeign);
        }
        // RFC 8725 §3.11: a token of another kind must never pass as this one.
        if header.typ.as_deref() != Some(ACCESS_TOKEN_TYP) {
            return Err(AccessTokenRejection::TypeForeign);
        }
        if header.crit.is_some() {
            return Err(AccessTokenRejection::Critical);
        }
        let keys = self.keys.current();
        let key = header.kid.as_deref().and_then(|kid| keys.verifying_key(kid));
        let claims: AccessClaims = token
            .verify(&header, key.ok_or(AccessTokenRejection::KeyUnknown)?)
            .map_err(AccessTokenRejection::Jws)?;
        self.judge(&claims, now, expiry)
    }

    fn judge(
        &self,
        claims: &AccessClaims,
        now: OffsetDateTime,
        expiry: Expiry,
    ) -> Result<TokenSubject, AccessTokenRejection> {
        if claims.iss != self.issuer {
            return Err(AccessTokenRejection::IssuerForeign);
        }
        if claims.aud != self.audience {
            return Err(AccessTokenRejection::AudienceForeign);
        }
        let user_id = claims.sub.parse().map_err(|_| AccessTokenRejection::SubjectMalformed)?;
        if expiry == Expiry::Counts && claims.exp <= now.unix_timestamp() {
            return Err(AccessTokenRejection::Expired);
        }
        Ok(TokenSubject { user_id, session_id: SessionId(claims.sid), issued_at: claims.iat })
    }
}
