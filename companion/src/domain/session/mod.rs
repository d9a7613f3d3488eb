//! Sessions, and the decision about each refresh: a session, a presented token and the time go in, an outcome comes
//! out. There is no I/O here.
//!
//! The refresh tokens of a session are numbered: each number is a *generation*, and one of them is live.
//! docs/design/refresh.md has the rule and its reasons.

pub mod authentication;
pub mod device;
pub mod device_name;
mod ending;
mod lifetimes;
mod refresh;

use time::OffsetDateTime;

use self::authentication::Authentication;
use self::device_name::DeviceName;
pub use self::ending::{Chosen, Ending};
pub use self::lifetimes::Lifetimes;
pub use self::refresh::{MAX_SUPERSEDED, RefreshRejection, Step};
use super::account::role::Role;
use super::edge::revocation;
use super::token::refresh_token::RefreshClaims;
use super::{SessionId, UserId};

/// Session, with the state of its user that a refresh depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// User of the session.
    pub user_id: UserId,
    /// Generation of the live refresh token.
    pub generation: i64,
    /// Times at which the generations before the live one got their successors: the latest first, at most
    /// [`MAX_SUPERSEDED`].
    pub superseded: Vec<OffsetDateTime>,
    /// Time of the start, or an earlier one if a companion refreshed the session whose clock is behind. No token of the
    /// session is dated earlier.
    pub created_at: OffsetDateTime,
    /// Time of the last refresh.
    pub updated_at: OffsetDateTime,
    /// Time from which on the session has expired.
    pub expires_at: OffsetDateTime,
    /// `true` if the user may not sign in.
    pub user_disabled: bool,
    /// Current role of the user.
    pub role: Role,
    /// Time from which on tokens of the user are valid; `None` if all are.
    pub tokens_not_before: Option<OffsetDateTime>,
    /// Last proof of who the user is.
    pub authentication: Authentication,
}

/// Content of both tokens of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenContent {
    /// Claims of the refresh token. The access token has the same subject and date.
    pub claims: RefreshClaims,
    /// Role of the user.
    pub role: Role,
    /// Last proof of who the user is.
    pub authentication: Authentication,
}

/// Session as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    /// Session ID.
    pub id: SessionId,
    /// Name that the client gave itself at the start.
    pub device: Option<String>,
    /// Network that the session was started from.
    pub address_prefix: Option<String>,
    /// Time of the start.
    pub created_at: OffsetDateTime,
    /// Time of the last refresh.
    pub updated_at: OffsetDateTime,
}

impl SessionSummary {
    /// Returns the name of the device for people, such as "Firefox on Linux"; `None` if the program names none.
    #[must_use]
    pub fn device_name(&self) -> Option<DeviceName> {
        self.device.as_deref().and_then(device_name::of)
    }
}

impl Session {
    /// Returns the claims of the live refresh token, and of the access token beside it. All responses that repeat
    /// them are equal to the byte: both tokens are dated to the last refresh that was written.
    #[must_use]
    pub fn live_token(&self, session_id: SessionId) -> RefreshClaims {
        RefreshClaims {
            user_id: self.user_id,
            session_id,
            generation: self.generation,
            issued_at: revocation::issued_at(self.updated_at, self.tokens_not_before),
        }
    }

    /// Returns the content of the live refresh token, and of the access token beside it.
    #[must_use]
    pub fn into_token_content(self, session_id: SessionId) -> TokenContent {
        TokenContent {
            claims: self.live_token(session_id),
            role: self.role,
            authentication: self.authentication,
        }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
