//! Purpose and owner of a challenge.

use crate::domain::{SessionId, UserId};

/// User and session that asked for a challenge. No other session responds to it.
pub type ChallengeOwner = (UserId, SessionId);

/// Purpose of a challenge. A response to one of another purpose does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengePurpose {
    /// Addition of an authenticator app.
    AddTotp,
}

impl ChallengePurpose {
    /// Returns the value of the column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AddTotp => "add_totp",
        }
    }
}
