//! "It was not you": the factors and recovery codes that the link of a mail takes away.

use edgeward_wire::clock::MAX_GAP_S;
use time::{Duration, OffsetDateTime};

use crate::domain::token::one_time::{Origin, Purpose, UNDO_LIFETIME};
use crate::domain::{FactorId, SessionId};

/// Factors and recovery codes that go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disowned {
    /// Session whose additions go.
    pub session_id: Option<SessionId>,
    /// Time since which the session has added them.
    pub session_since: OffsetDateTime,
    /// Time since which the additions of all sessions go; `None` if those of other sessions stay.
    pub all_since: Option<OffsetDateTime>,
    /// Passkey of the session, whatever its age.
    pub passkey: Option<FactorId>,
}

impl Disowned {
    /// Returns what goes by a link of this purpose, in a mail that was written at `written_at`.
    ///
    /// Additions of a session go with it, unless they were older than 72 hours when the mail was written: each has had a mail of its
    /// own, whose link has expired. So whoever reads the mails of a user does not get past a factor that is older.
    ///
    /// Additions of other sessions stay: each is told of by a mail of its own. Not so after a change of address, since these mails
    /// went to the new one; nor if nobody's session is known, as after a reset by an administrator.
    #[must_use]
    pub fn by(purpose: Purpose, origin: Origin, written_at: OffsetDateTime) -> Self {
        let takes_all = purpose == Purpose::UndoEmail || origin.session_id.is_none();
        // The clock of another companion may be behind.
        let all_since = written_at - Duration::seconds(MAX_GAP_S.into());
        Self {
            session_id: origin.session_id,
            session_since: written_at - UNDO_LIFETIME,
            all_since: takes_all.then_some(all_since),
            passkey: origin.passkey,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn other_sessions_keep_what_they_have_added_unless_their_mails_went_elsewhere() {
        let written_at = datetime!(2030-01-04 00:00 UTC);
        let (known, unknown) = (Some(SessionId(7)), None);
        let since = Some(datetime!(2030-01-03 23:59 UTC));
        for (purpose, session_id, all_since) in [
            (Purpose::DisownSignIn, known, None),
            (Purpose::DisownSignIn, unknown, since),
            (Purpose::UndoEmail, known, since),
            (Purpose::UndoEmail, unknown, since),
        ] {
            let origin = Origin { session_id, passkey: Some(FactorId(3)) };
            let expected = Disowned {
                session_id,
                session_since: datetime!(2030-01-01 00:00 UTC),
                all_since,
                passkey: Some(FactorId(3)),
            };
            assert_eq!(Disowned::by(purpose, origin, written_at), expected, "{purpose:?} {session_id:?}");
        }
    }
}
