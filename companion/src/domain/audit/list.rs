//! List of the audit log: its filter, its entries and its cursor.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Entry, NAMES};
use crate::domain::UserId;
use crate::domain::caller::Actor;
use crate::domain::page::{self, InvalidCursor};

/// Conditions on the entries of a list. All of them hold; the default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// User that the entries concern.
    pub user_id: Option<UserId>,
    /// Name of the event.
    pub event: Option<&'static str>,
    /// Name of the actor.
    pub actor: Option<&'static str>,
    /// Time of the oldest entry.
    pub from: Option<OffsetDateTime>,
    /// Time before which all entries are.
    pub until: Option<OffsetDateTime>,
}

/// Place in the list, newest first: before the entry with this time and this ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditCursor {
    /// Time of the entry.
    pub at: OffsetDateTime,
    /// `audit_log.id`.
    pub id: i64,
}

/// Entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEntry {
    /// `audit_log.id`.
    pub id: i64,
    /// Entry.
    pub entry: Entry,
}

/// Text that is not the name of an event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no event has this name; there are {}", NAMES.join(", "))]
pub struct InvalidEvent;

/// Text that is not the name of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no actor has this name; there are {}", Actor::NAMES.join(", "))]
pub struct InvalidActor;

/// Reads the name of an event.
///
/// # Errors
/// [`InvalidEvent`] if there is no such event.
pub fn parse_event(text: &str) -> Result<&'static str, InvalidEvent> {
    NAMES.into_iter().find(|name| *name == text).ok_or(InvalidEvent)
}

/// Reads the name of an actor.
///
/// # Errors
/// [`InvalidActor`] if there is no such actor.
pub fn parse_actor(text: &str) -> Result<&'static str, InvalidActor> {
    Actor::NAMES.into_iter().find(|name| *name == text).ok_or(InvalidActor)
}

impl AuditCursor {
    /// Reads a cursor of [`AuditCursor::encode`].
    ///
    /// # Errors
    /// [`InvalidCursor`] if it is none.
    pub fn decode(text: &str) -> Result<Self, InvalidCursor> {
        let (id, micros) = page::decode(text)?;
        // Unsigned: Postgres has no times before 4713 BC.
        let micros: u64 = micros.parse().map_err(|_| InvalidCursor)?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000);
        Ok(Self { at: at.map_err(|_| InvalidCursor)?, id })
    }

    /// Writes the cursor, opaque to clients.
    #[must_use]
    pub fn encode(&self) -> String {
        // Postgres stores microseconds.
        page::encode(self.id, &(self.at.unix_timestamp_nanos() / 1000).to_string())
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn cursor_keeps_the_microsecond() {
        let cursor = AuditCursor { at: datetime!(2030-01-31 15:00:00.123456 UTC), id: 7 };
        assert_eq!(AuditCursor::decode(&cursor.encode()), Ok(cursor));
        for text in ["", "-1", &u64::MAX.to_string()].map(|key| page::encode(7, key)) {
            assert_eq!(AuditCursor::decode(&text), Err(InvalidCursor));
        }
    }

    #[test]
    fn events_and_actors_are_known_by_name() {
        assert_eq!(parse_event("user_deleted"), Ok("user_deleted"));
        assert_eq!(parse_event("USER_DELETED"), Err(InvalidEvent));
        assert_eq!(parse_actor("admin"), Ok("admin"));
        assert_eq!(parse_actor(""), Err(InvalidActor));
    }
}
