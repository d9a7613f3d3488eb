//! Purpose and owner of a challenge.

use crate::domain::token::access_token::TokenSubject;
use crate::domain::{SessionId, UserId};

/// User that a challenge is for, and the session that asked for it; no session for a login that waits for a factor. Nobody else
/// responds to it.
pub type ChallengeOwner = (UserId, Option<SessionId>);

/// Returns the owner of a challenge that a signed-in user asks for.
#[must_use]
pub fn owner(by: TokenSubject) -> ChallengeOwner {
    (by.user_id, Some(by.session_id))
}

/// Purpose of a challenge. A response to one of another purpose does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengePurpose {
    /// Addition of an authenticator app.
    AddTotp,
    /// Creation of a passkey by its user.
    AddPasskey,
    /// Creation of a passkey by the browser itself.
    AddPasskeyAutomatically,
    /// Sign-in with a passkey alone.
    LogIn,
    /// Second step of a login.
    CompleteLogIn,
    /// Fresh proof of a signed-in user.
    Confirm,
}

impl ChallengePurpose {
    /// Returns the value of the column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AddTotp => "add_totp",
            Self::AddPasskey => "add_passkey",
            Self::AddPasskeyAutomatically => "add_passkey_automatically",
            Self::LogIn => "log_in",
            Self::CompleteLogIn => "complete_log_in",
            Self::Confirm => "confirm",
        }
    }
}
