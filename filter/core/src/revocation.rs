//! Revocations: sessions that ended, and users whose earlier tokens are invalid. An entry is kept until every token
//! that it concerns has expired. `edge_state` adds them from the edge feed.

mod table;

use edgeward_wire::Revoked;
use table::Table;
use thiserror::Error;

use crate::claims::Identity;
use crate::rejection::Rejection;

/// Maximum number of entries. They take 56 MiB.
pub const MAX_ENTRIES: usize = 4_000_000;

/// There are more revocations than [`MAX_ENTRIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there are more than {MAX_ENTRIES} revocations")]
pub struct CapacityError;

/// Revocations that still concern a token.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    /// Ended sessions, by their numbers.
    sessions: Table<()>,
    /// Users by their IDs, each with the time from which on its tokens are valid, in seconds since 1970.
    users: Table<u32>,
}

impl Revocations {
    /// Adds revocations, and removes a part of the entries whose time is over at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// [`CapacityError`] if there would be more than [`MAX_ENTRIES`]; then none is added.
    pub fn add(&mut self, revoked: &Revoked, now: u64) -> Result<(), CapacityError> {
        self.sessions.sweep(now);
        self.users.sweep(now);
        if self.len() + revoked.sessions.len() + revoked.users.len() > MAX_ENTRIES {
            return Err(CapacityError);
        }
        for session in &revoked.sessions {
            self.sessions.insert(session.0, session.1, ());
        }
        for user in &revoked.users {
            self.users.insert(user.0, user.2, user.1);
        }
        Ok(())
    }

    /// Checks that a token's session and the token itself are not revoked.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`] if the session has ended, [`Rejection::TokenOutdated`] if the user's tokens of that
    /// time are invalid.
    pub fn judge(&self, identity: &Identity) -> Result<(), Rejection> {
        if self.is_empty() {
            return Ok(());
        }
        let (session_id, issued_at) = (identity.session_id(), identity.issued_at());
        if self.sessions.find(session_id).is_some() {
            return Err(Rejection::SessionEnded { session_id });
        }
        let not_before = self.users.find(identity.user_id()).unwrap_or_default().into();
        if issued_at < not_before { Err(Rejection::TokenOutdated { issued_at, not_before }) } else { Ok(()) }
    }

    /// Returns the number of entries, including those whose time is over and that are not removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len + self.users.len
    }

    /// `true` if there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use edgeward_wire::{RevokedSession, RevokedUser};

    use super::*;
    use crate::claims::Expected;
    use crate::token::Verified;

    const NOW: u64 = 1_800_000_000;
    const UNTIL: u32 = 1_800_003_600;

    fn identity(user: u64, session: u64, issued_at: u64) -> Identity {
        let expected = Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 };
        let exp = NOW + 60;
        let claims = format!(
            r#"{{"iss":"i","aud":"a","exp":{exp},"iat":{issued_at},"sub":"{user}","sid":{session},"role":"x"}}"#
        );
        Identity::judge(&Verified::for_test(&claims), &expected, NOW).unwrap()
    }

    #[test]
    fn ended_session_is_rejected_and_a_user_until_a_later_token() {
        let mut revocations = Revocations::default();
        let revoked = Revoked {
            sessions: vec![RevokedSession(7, UNTIL), RevokedSession(u64::MAX, UNTIL)],
            users: vec![RevokedUser(42, 1_799_999_990, UNTIL)],
        };
        revocations.add(&revoked, NOW).unwrap();
        let ended = Rejection::SessionEnded { session_id: 7 };
        let outdated = Rejection::TokenOutdated { issued_at: 1_799_999_989, not_before: 1_799_999_990 };
        for (user, session, issued_at, expected) in [
            (1, 7, NOW, Err(ended)),
            (1, 7, 0, Err(ended)),
            (1, 8, NOW, Ok(())),
            (7, 42, NOW, Ok(())),
            (42, 1, 1_799_999_989, Err(outdated)),
            (42, 1, 1_799_999_990, Ok(())),
            (42, 7, 0, Err(ended)),
            (43, 1, 0, Ok(())),
        ] {
            let judged = revocations.judge(&identity(user, session, issued_at));
            assert_eq!(judged, expected, "user {user}, session {session}, issued at {issued_at}");
        }
    }

    #[test]
    fn repeated_revocation_changes_nothing_and_the_later_time_counts() {
        let mut revocations = Revocations::default();
        for (not_before, until) in [(100, UNTIL), (300, UNTIL + 5), (200, UNTIL), (200, UNTIL)] {
            let users = vec![RevokedUser(42, not_before, until)];
            revocations.add(&Revoked { sessions: Vec::new(), users }, NOW).unwrap();
        }
        assert_eq!(revocations.len(), 1);
        assert!(revocations.judge(&identity(42, 1, 299)).is_err());
        assert!(revocations.judge(&identity(42, 1, 300)).is_ok());
    }

    #[test]
    fn entries_stay_until_their_tokens_have_expired() {
        let mut revocations = Revocations::default();
        let sessions = (0..100_000).map(|at| RevokedSession(at, UNTIL + u32::from(at % 2 == 0))).collect();
        revocations.add(&Revoked { sessions, users: Vec::new() }, NOW).unwrap();
        let wait_until = |revocations: &mut Revocations, now: u64| {
            for _ in 0..400 {
                revocations.add(&Revoked::default(), now).unwrap();
            }
            revocations.len()
        };
        assert_eq!(wait_until(&mut revocations, UNTIL.into()), 100_000);
        assert_eq!(wait_until(&mut revocations, u64::from(UNTIL) + 1), 50_000);
        assert!(revocations.judge(&identity(1, 99_998, NOW)).is_err());
        assert!(revocations.judge(&identity(1, 99_999, NOW)).is_ok());
        assert_eq!(wait_until(&mut revocations, u64::from(UNTIL) + 2), 0);
        assert!(revocations.is_empty() && revocations.sessions.blocks.is_empty());
    }

    // holds: invariant 3, promise 6
    #[test]
    fn more_revocations_than_the_limit_are_an_error() {
        let mut revocations = Revocations::default();
        revocations.sessions.len = MAX_ENTRIES - 1;
        let sessions = vec![RevokedSession(1, UNTIL); 2];
        let revoked = Revoked { sessions, users: Vec::new() };
        assert_eq!(revocations.add(&revoked, NOW), Err(CapacityError));
        assert!(revocations.judge(&identity(1, 1, NOW)).is_ok());
    }
}
