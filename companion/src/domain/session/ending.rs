//! The choice of the sessions that end.

use crate::domain::token::access_token::TokenSubject;
use crate::domain::{SessionId, UserId};

/// Sessions of a user that are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// User of the sessions.
    pub user_id: UserId,
    /// Only session that ends; `None` for all.
    pub only: Option<SessionId>,
    /// Session that stays; `None` if none does.
    pub except: Option<SessionId>,
    /// Time by which the session had begun, in seconds since 1970. One that began later is another session with the
    /// same ID, in a database that was restored to an earlier state. `None` if any counts.
    pub begun_by: Option<i64>,
}

impl Ending {
    /// Returns `true` if no session of the user stays.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        self.only.is_none() && self.except.is_none()
    }

    /// Chooses all sessions of a user.
    #[must_use]
    pub fn all(user_id: UserId) -> Self {
        Self { user_id, only: None, except: None, begun_by: None }
    }

    /// Chooses all sessions of a user but one.
    #[must_use]
    pub fn others(user_id: UserId, except: SessionId) -> Self {
        Self { except: Some(except), ..Self::all(user_id) }
    }

    /// Chooses one session of a user by its ID.
    #[must_use]
    pub fn one(user_id: UserId, session_id: SessionId) -> Self {
        Self { only: Some(session_id), ..Self::all(user_id) }
    }

    /// Chooses the session of a token.
    #[must_use]
    pub fn of_token(subject: TokenSubject) -> Self {
        Self { begun_by: Some(subject.issued_at), ..Self::one(subject.user_id, subject.session_id) }
    }
}
