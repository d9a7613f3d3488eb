//! The tokens of sessions: keys, signing, verification and lifetimes.

use crate::domain::session::{Lifetimes, TokenContent};
use crate::domain::token::access_token::{AccessTokens, TokenSubject};
use crate::domain::token::jws::SigningError;
use crate::domain::token::refresh_token::RefreshTokens;
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
    /// Signs the access token alone.
    ///
    /// # Errors
    /// [`SigningError`] if the key does not sign.
    pub(super) fn sign_access(&self, content: &TokenContent) -> Result<String, SigningError> {
        self.access.sign(&self.keys.current(), content)
    }

    /// Signs both tokens with this content.
    ///
    /// # Errors
    /// [`SigningError`] if a key does not sign.
    pub(super) fn sign(&self, content: &TokenContent) -> Result<IssuedTokens, SigningError> {
        Ok(IssuedTokens {
            subject: content.claims.subject(),
            access: self.sign_access(content)?,
            refresh: self.refresh.sign(content.claims)?,
            device: None,
        })
    }
}
