//! The refresh state machine: a session, what was presented, and the time in; what happens out. No I/O here.

use time::OffsetDateTime;

use super::UserId;
use super::refresh_token::RefreshClaims;
use super::revocation;
use super::role::Role;

/// A session as it stands, with what matters of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user_id: UserId,
    /// The generation of the one refresh token that is live.
    pub generation: i64,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// Dead at and after this moment.
    pub expires_at: OffsetDateTime,
    /// Whether its user may not sign in.
    pub user_disabled: bool,
    /// Its user's role now.
    pub role: Role,
    /// From when on its user's tokens count.
    pub tokens_not_before: Option<OffsetDateTime>,
}

/// Why a refresh is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefused {
    /// No such session, or it was ended.
    SessionUnknown,
    /// The session belongs to another user than the token says.
    UserMismatch,
    /// The token is older than the session: it names one of an earlier database, where the numbers were others'.
    TokenTooOld,
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
            Self::TokenTooOld => "token_too_old",
            Self::UserDisabled => "user_disabled",
            Self::SessionExpired => "session_expired",
            Self::GenerationMismatch => "generation_mismatch",
        }
    }
}

/// Decides a refresh: gives what the next token says, and the role. A token works once: the generation presented
/// must be the live one.
pub fn rotate(
    session: Option<Session>,
    presented: RefreshClaims,
    now: OffsetDateTime,
) -> Result<(RefreshClaims, Role), RefreshRefused> {
    let session = session.ok_or(RefreshRefused::SessionUnknown)?;
    if session.user_id != presented.user_id {
        return Err(RefreshRefused::UserMismatch);
    }
    // A token's times are whole seconds.
    if presented.issued_at < session.created_at.unix_timestamp() {
        return Err(RefreshRefused::TokenTooOld);
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
    let issued_at = revocation::issued_at(now, session.tokens_not_before);
    let next = RefreshClaims { generation: session.generation + 1, issued_at, ..presented };
    Ok((next, session.role))
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);

    fn live() -> Session {
        Session {
            user_id: 3,
            generation: 5,
            created_at: NOW - Duration::milliseconds(59_001),
            expires_at: NOW + Duration::seconds(1),
            user_disabled: false,
            role: Role::parse("customer").unwrap(),
            tokens_not_before: None,
        }
    }

    fn check(session: Option<Session>, presented: RefreshClaims, expected: Result<i64, RefreshRefused>) {
        let decided = rotate(session, presented, NOW);
        assert_eq!(decided.map(|(next, _)| next.generation), expected);
    }

    const PRESENTED: RefreshClaims =
        RefreshClaims { user_id: 3, session_id: 7, generation: 5, issued_at: NOW.unix_timestamp() - 60 };

    #[test]
    fn the_live_generation_rotates_to_the_next() {
        let next = RefreshClaims { generation: 6, issued_at: NOW.unix_timestamp(), ..PRESENTED };
        assert_eq!(rotate(Some(live()), PRESENTED, NOW), Ok((next, live().role)));
    }

    #[test]
    fn every_other_generation_is_refused() {
        for generation in [4, 6, 0, -5, i64::MAX] {
            let presented = RefreshClaims { generation, ..PRESENTED };
            check(Some(live()), presented, Err(RefreshRefused::GenerationMismatch));
        }
    }

    #[test]
    fn a_session_that_is_gone_or_another_persons_is_refused() {
        check(None, PRESENTED, Err(RefreshRefused::SessionUnknown));
        check(Some(live()), RefreshClaims { user_id: 4, ..PRESENTED }, Err(RefreshRefused::UserMismatch));
    }

    #[test]
    fn a_token_from_before_the_session_is_refused() {
        let earlier = RefreshClaims { issued_at: PRESENTED.issued_at - 1, ..PRESENTED };
        check(Some(live()), earlier, Err(RefreshRefused::TokenTooOld));
    }

    #[test]
    fn a_session_is_dead_from_the_very_moment_it_expires() {
        check(Some(Session { expires_at: NOW, ..live() }), PRESENTED, Err(RefreshRefused::SessionExpired));
    }

    #[test]
    fn a_disabled_user_does_not_refresh() {
        check(Some(Session { user_disabled: true, ..live() }), PRESENTED, Err(RefreshRefused::UserDisabled));
    }
}
