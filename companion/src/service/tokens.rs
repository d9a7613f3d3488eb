//! The tokens of sessions: keys, signing, verification and lifetimes.

use crate::domain::account::role::Role;
use crate::domain::session::Lifetimes;
use crate::domain::token::access_token::{AccessTokens, TokenSubject};
use crate::domain::token::jws::SigningError;
use crate::domain::token::refresh_token::{RefreshClaims, RefreshTokens};
use crate::keys::current::CurrentKeys;

/// Signs and verifies the tokens of sessions.
pub struct Tokens {
    /// Keys of access tokens, which change while the service runs.
    pub keys: CurrentKeys,
    /// Access tokens.
    pub access: AccessTokens,
    /// Refresh tokens.
    pub refresh: RefreshTokens,
    /// Lifetimes of sessions.
    pub lifetimes: Lifetimes,
}

/// Tokens that a login, a registration or a refresh issues.
pub struct IssuedTokens {
    /// User and session of both.
    pub subject: TokenSubject,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The device token, after a login or a registration.
    pub device: Option<String>,
}

impl Tokens {
    /// Signs the refresh token with these claims, and the access token of the same date.
    ///
    /// # Errors
    /// [`SigningError`] if a key does not sign.
    pub(super) fn sign(&self, claims: RefreshClaims, role: &Role) -> Result<IssuedTokens, SigningError> {
        let subject = claims.subject();
        Ok(IssuedTokens {
            subject,
            access: self.access.sign(&self.keys.current(), subject, role)?,
            refresh: self.refresh.sign(claims)?,
            device: None,
        })
    }
}
