//! Entries of the audit log: what happened to an account or to the keys, by whose hand. No password, token or e-mail is
//! ever part of one: a person is a user ID.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{SessionId, UserId};

/// Actor of what an operator does with a command.
pub const COMMAND_LINE: &str = "command_line";
/// Actor of what the service does by itself.
pub const SYSTEM: &str = "system";

/// Something that was done to an account or to the keys without a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A user was made, with this role.
    UserCreated(String),
    /// A user was deleted, with so many sessions.
    UserDeleted(u64),
    /// A user may not sign in any more; so many sessions ended.
    UserDisabled(u64),
    /// A user may sign in again.
    UserEnabled,
    /// A user has this role from now on.
    RoleChanged(String),
    /// A user has another password; so many sessions ended.
    PasswordChanged(u64),
    /// A key was made; it signs from now on.
    KeysGenerated(String),
    /// The keys were rotated: the one that signs from now on, and the one that is announced.
    KeysRotated(String, String),
    /// The service uses other keys from now on; this one signs.
    KeysChanged(String),
}

/// Names of all [`Change`]s, which label a metric.
const EVENTS: [&str; 9] = [
    "user_created",
    "user_deleted",
    "user_disabled",
    "user_enabled",
    "role_changed",
    "password_changed",
    "keys_generated",
    "keys_rotated",
    "keys_changed",
];

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Time of the event.
    pub at: OffsetDateTime,
    /// Name of the event.
    pub event: String,
    /// Hand that did it: a word of the table's.
    pub actor: String,
    /// Account that it concerns.
    pub user_id: Option<UserId>,
    /// Session that it concerns.
    pub session_id: Option<SessionId>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// The network that the request came from.
    pub client_prefix: Option<String>,
    /// More of it: a JSON object.
    pub details: String,
}

impl Entry {
    /// An entry for a change.
    #[must_use]
    pub fn new(at: OffsetDateTime, actor: &str, user_id: Option<UserId>, change: &Change) -> Self {
        let (event, details) = change.describe();
        Self {
            at,
            event: event.to_owned(),
            actor: actor.to_owned(),
            user_id,
            session_id: None,
            request_id: None,
            client_prefix: None,
            details: details.to_string(),
        }
    }

    /// The event as a label of a metric. A newer version of a command may know more of them.
    #[must_use]
    pub fn label(&self) -> &'static str {
        EVENTS.iter().find(|event| **event == self.event).copied().unwrap_or("other")
    }
}

impl Change {
    fn describe(&self) -> (&'static str, Value) {
        match self {
            Self::UserCreated(role) => ("user_created", json!({"role": role})),
            Self::UserDeleted(ended) => ("user_deleted", json!({"sessions_ended": ended})),
            Self::UserDisabled(ended) => ("user_disabled", json!({"sessions_ended": ended})),
            Self::UserEnabled => ("user_enabled", json!({})),
            Self::RoleChanged(role) => ("role_changed", json!({"role": role})),
            Self::PasswordChanged(ended) => ("password_changed", json!({"sessions_ended": ended})),
            Self::KeysGenerated(signing) => ("keys_generated", json!({"signing": signing})),
            Self::KeysRotated(signing, announced) => {
                ("keys_rotated", json!({"signing": signing, "announced": announced}))
            }
            Self::KeysChanged(signing) => ("keys_changed", json!({"signing": signing})),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_label_and_a_foreign_one_has_none_of_its_own() {
        let count = || Change::UserDeleted(1);
        let text = || "x".to_owned();
        let changes = [
            Change::UserCreated(text()),
            count(),
            Change::UserDisabled(1),
            Change::UserEnabled,
            Change::RoleChanged(text()),
            Change::PasswordChanged(1),
            Change::KeysGenerated(text()),
            Change::KeysRotated(text(), text()),
            Change::KeysChanged(text()),
        ];
        let entries = changes.map(|change| Entry::new(OffsetDateTime::UNIX_EPOCH, SYSTEM, None, &change));
        assert_eq!(entries.each_ref().map(Entry::label), EVENTS);
        assert_eq!(Entry { event: text(), ..entries[0].clone() }.label(), "other");
    }
}
