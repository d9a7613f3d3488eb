//! Audit events: what happened to an account, a session or the keys, and the actor. An event holds no password, token
//! or e-mail address; a person is a user ID.

pub mod list;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::account::role::Role;
use super::caller::{Actor, Caller};
use super::session::authentication::Methods;
use super::{SessionId, UserId};

/// Audit event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A user created their own account.
    Registered,
    /// A session began with a password.
    LoggedIn,
    /// A login was rejected, for this reason.
    LoginRejected(&'static str),
    /// A session was refreshed. It is a log line alone: there are too many for the table.
    Refreshed,
    /// A refresh was rejected, for this reason.
    RefreshRejected(&'static str),
    /// A superseded refresh token was presented: two parties hold it, and the session ended for both.
    RefreshTokenReused,
    /// A user of a session has proved anew who they are, by these methods.
    Reauthenticated(Methods),
    /// A session was ended from another one, or from the list.
    SessionEnded,
    /// All sessions of a user were ended, for them.
    SessionsEnded {
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// A user ended the session of the request.
    LoggedOut,
    /// A user ended all of their sessions.
    LoggedOutEverywhere,
    /// An account was created for a user, with this role.
    UserCreated(Role),
    /// A user of another system was imported, with this role.
    UserImported(Role),
    /// A user was deleted.
    UserDeleted {
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// A user was disabled: they may not sign in.
    UserDisabled {
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// A user was enabled: they may sign in again.
    UserEnabled,
    /// The failed logins of a user were forgotten.
    UserUnlocked,
    /// The role of a user was changed to this one.
    RoleChanged(Role),
    /// The first or the last name of a user was changed.
    NameChanged,
    /// The password of a user was changed.
    PasswordChanged {
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// A signing key with this ID was generated.
    KeysGenerated(String),
    /// The keys were rotated.
    KeysRotated {
        /// ID of the key that signs from now on.
        signing: String,
        /// ID of the key that signs after the next rotation.
        announced: String,
    },
    /// The keys of a folder were imported into the database, and the key of this ID signs.
    KeysImported(String),
    /// The private keys of the database were sealed by the newest key-encryption key.
    KeysResealed,
    /// The service has read other keys, and signs with the key of this ID.
    KeysChanged(String),
}

/// Names of all events: the values of a metric's label and of `audit_log.event`.
pub const NAMES: [&str; 25] = [
    "register",
    "login",
    "login_refused",
    "refresh",
    "refresh_refused",
    "refresh_token_reused",
    "reauthenticated",
    "session_ended",
    "sessions_ended",
    "logout",
    "logout_all",
    "user_created",
    "user_imported",
    "user_deleted",
    "user_disabled",
    "user_enabled",
    "user_unlocked",
    "role_changed",
    "name_changed",
    "password_changed",
    "keys_generated",
    "keys_rotated",
    "keys_imported",
    "keys_resealed",
    "keys_changed",
];

/// Event with its time, actor and subject: a row of `audit_log`, a log line, and a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Time of the event.
    pub at: OffsetDateTime,
    /// Name of the event.
    pub event: String,
    /// Reason of a rejection; `None` for other events.
    pub reason: Option<&'static str>,
    /// Actor, by [`Actor::as_str`](super::caller::Actor::as_str).
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

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Registered => "register",
            Self::LoggedIn => "login",
            Self::LoginRejected(_) => "login_refused",
            Self::Refreshed => "refresh",
            Self::RefreshRejected(_) => "refresh_refused",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::Reauthenticated(_) => "reauthenticated",
            Self::SessionEnded => "session_ended",
            Self::SessionsEnded { .. } => "sessions_ended",
            Self::LoggedOut => "logout",
            Self::LoggedOutEverywhere => "logout_all",
            Self::UserCreated(_) => "user_created",
            Self::UserImported(_) => "user_imported",
            Self::UserDeleted { .. } => "user_deleted",
            Self::UserDisabled { .. } => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserUnlocked => "user_unlocked",
            Self::RoleChanged(_) => "role_changed",
            Self::NameChanged => "name_changed",
            Self::PasswordChanged { .. } => "password_changed",
            Self::KeysGenerated(_) => "keys_generated",
            Self::KeysRotated { .. } => "keys_rotated",
            Self::KeysImported(_) => "keys_imported",
            Self::KeysResealed => "keys_resealed",
            Self::KeysChanged(_) => "keys_changed",
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::LoginRejected(reason) | Self::RefreshRejected(reason) => Some(reason),
            _ => None,
        }
    }

    fn details(&self) -> Map<String, Value> {
        let details = match self {
            Self::SessionsEnded { sessions_ended }
            | Self::UserDeleted { sessions_ended }
            | Self::UserDisabled { sessions_ended }
            | Self::PasswordChanged { sessions_ended } => json!({"sessions_ended": sessions_ended}),
            Self::UserCreated(role) | Self::UserImported(role) | Self::RoleChanged(role) => {
                json!({"role": role.as_str()})
            }
            Self::Reauthenticated(methods) => json!({"methods": methods.names()}),
            Self::KeysGenerated(signing) | Self::KeysImported(signing) | Self::KeysChanged(signing) => {
                json!({"signing": signing})
            }
            Self::KeysRotated { signing, announced } => json!({"signing": signing, "announced": announced}),
            _ => json!({}),
        };
        match details {
            Value::Object(details) => details,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests;
