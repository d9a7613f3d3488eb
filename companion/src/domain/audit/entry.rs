//! Entry of the audit log.

use serde_json::Value;
use time::OffsetDateTime;

use super::{Event, NAMES};
use crate::domain::caller::{Actor, Caller};
use crate::domain::{SessionId, UserId};

/// Event with its time, actor and subject: a row of `audit_log`, a log line, and a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Time of the event.
    pub at: OffsetDateTime,
    /// Name of the event.
    pub event: String,
    /// Reason of a rejection; `None` for other events.
    pub reason: Option<&'static str>,
    /// Actor, by [`Actor::as_str`](crate::domain::caller::Actor::as_str).
    pub actor: String,
    /// User that the event concerns.
    pub user_id: Option<UserId>,
    /// Session that the event concerns.
    pub session_id: Option<SessionId>,
    /// ID of the request that caused the event.
    pub request_id: Option<String>,
    /// Network of the client that sent the request.
    pub client_prefix: Option<String>,
    /// Details by event: a JSON object.
    pub details: String,
}

impl Entry {
    /// Makes the entry of an event that concerns a user, a session, both or neither.
    #[must_use]
    pub fn new(
        at: OffsetDateTime,
        caller: &Caller,
        event: &Event,
        user_id: Option<UserId>,
        session_id: Option<SessionId>,
    ) -> Self {
        let mut details = event.details();
        if let Actor::Admin(by) = caller.actor {
            details.insert("by".to_owned(), by.0.into());
        }
        Self {
            at,
            event: event.name().to_owned(),
            reason: event.reason(),
            actor: caller.actor.as_str().to_owned(),
            user_id,
            session_id,
            request_id: caller.request.as_ref().map(|request| request.id.as_str().to_owned()),
            client_prefix: caller.client_prefix(),
            details: Value::Object(details).to_string(),
        }
    }

    /// Returns the event as a label of a metric: `other` for an event that a newer version has written.
    #[must_use]
    pub fn label(&self) -> &'static str {
        NAMES.iter().find(|name| **name == self.event).copied().unwrap_or("other")
    }
}
