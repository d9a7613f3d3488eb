//! The refresh state machine: a session, what was presented, and the time in; what happens out. No I/O here.

use time::OffsetDateTime;

use super::refresh_token::RefreshClaims;
use super::{SessionId, UserId};

/// A session as it stands, with what matters of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The generation of the one refresh token that is live.
    pub generation: i64,
    /// Dead at and after this moment.
    pub expires_at: OffsetDateTime,
    /// Whether its user may not sign in.
    pub user_disabled: bool,
}

/// The session goes on with a new refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The session's number.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The generation that is live from now on.
    pub generation: i64,
}

/// Why a refresh is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefused {
    /// No such session, or it was ended.
    SessionUnknown,
    /// The session belongs to another user than the token says.
    UserMismatch,
    /// The user may not sign in.
    UserDisabled,
    /// The session was left alone for too long.
    SessionExpired,
    /// The token was used before: another one took its place.
    GenerationMismatch,
}

impl RefreshRefused {
    /// The reason in one word, for logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SessionUnknown => "session_unknown",
            Self::UserMismatch => "user_mismatch",
            Self::UserDisabled => "user_disabled",
            Self::SessionExpired => "session_expired",
            Self::GenerationMismatch => "generation_mismatch",
        }
    }
}

/// Decides a refresh. A token works once: the generation presented must be the live one.
pub fn rotate(
    session: Option<&Session>,
    presented: &RefreshClaims,
    now: OffsetDateTime,
) -> Result<Rotation, RefreshRefused> {
    let session = session.ok_or(RefreshRefused::SessionUnknown)?;
    if session.user_id != presented.user_id {
        return Err(RefreshRefused::UserMismatch);
    }
    if session.user_disabled {
        return Err(RefreshRefused::UserDisabled);
    }
    if session.expires_at <= now {
        return Err(RefreshRefused::SessionExpired);
    }
    if session.generation != presented.generation {
        return Err(RefreshRefused::GenerationMismatch);
    }
    Ok(Rotation { session_id: session.id, user_id: session.user_id, generation: session.generation + 1 })
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);

    fn live() -> Session {
        Session {
            id: 7,
            user_id: 3,
            generation: 5,
            expires_at: NOW + Duration::seconds(1),
            user_disabled: false,
        }
    }

    fn check(session: Option<&Session>, presented: RefreshClaims, expected: Result<i64, RefreshRefused>) {
        let decided = rotate(session, &presented, NOW);
        assert_eq!(decided.map(|rotation| rotation.generation), expected);
    }

    const PRESENTED: RefreshClaims = RefreshClaims { user_id: 3, session_id: 7, generation: 5 };

    #[test]
    fn the_live_generation_rotates_to_the_next() {
        check(Some(&live()), PRESENTED, Ok(6));
    }

    #[test]
    fn every_other_generation_is_refused() {
        for generation in [4, 6, 0, -5, i64::MAX] {
            let presented = RefreshClaims { generation, ..PRESENTED };
            check(Some(&live()), presented, Err(RefreshRefused::GenerationMismatch));
        }
    }

    #[test]
    fn a_session_that_is_gone_or_another_persons_is_refused() {
        check(None, PRESENTED, Err(RefreshRefused::SessionUnknown));
        check(Some(&live()), RefreshClaims { user_id: 4, ..PRESENTED }, Err(RefreshRefused::UserMismatch));
    }

    #[test]
    fn a_session_is_dead_from_the_very_moment_it_expires() {
        check(Some(&Session { expires_at: NOW, ..live() }), PRESENTED, Err(RefreshRefused::SessionExpired));
    }

    #[test]
    fn a_disabled_user_does_not_refresh() {
        check(Some(&Session { user_disabled: true, ..live() }), PRESENTED, Err(RefreshRefused::UserDisabled));
    }
}
