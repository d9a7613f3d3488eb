//! The choice of the sessions that end.

use crate::domain::token::access_token::TokenSubject;
use crate::domain::{SessionId, UserId};

/// Sessions of a user that are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// User of the sessions.
    pub user_id: UserId,
    /// Sessions that end.
    pub chosen: Chosen,
    /// Time by which the session had begun, in seconds since 1970. One that began later is another session with the
    /// same ID, in a database that was restored to an earlier state. `None` if any counts.
    pub begun_by: Option<i64>,
}

/// Choice among the sessions of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All of them.
    All,
    /// One of them.
    Only(SessionId),
    /// All but one.
    Except(SessionId),
}

impl Ending {
    /// Chooses all sessions of a user.
    #[must_use]
    pub fn all(user_id: UserId) -> Self {
        Self { user_id, chosen: Chosen::All, begun_by: None }
    }

    /// Chooses all sessions of a user but one.
    #[must_use]
    pub fn others(user_id: UserId, kept: SessionId) -> Self {
        Self { chosen: Chosen::Except(kept), ..Self::all(user_id) }
    }

    /// Chooses one session of a user by its ID.
    #[must_use]
    pub fn one(user_id: UserId, session_id: SessionId) -> Self {
        Self { chosen: Chosen::Only(session_id), ..Self::all(user_id) }
    }

    /// Chooses the session of a token.
    #[must_use]
    pub fn of_token(subject: TokenSubject) -> Self {
        Self { begun_by: Some(subject.issued_at), ..Self::one(subject.user_id, subject.session_id) }
    }
}
