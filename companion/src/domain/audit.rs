//! Audit events: what happened to an account, a session or the keys, and the actor. An event holds no password, token
//! or e-mail address; a person is a user ID.

mod entry;
pub mod list;
mod names;

use serde_json::{Map, Value, json};

pub use self::entry::Entry;
pub use self::names::NAMES;
use super::account::role::Role;
use super::factor::FactorKind;
use super::session::authentication::Methods;

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
    /// A user asked for a mail that sets a new password. It is a log line alone: anybody can ask.
    PasswordResetRequested,
    /// A user set a new password in place of a forgotten one, by a mail.
    PasswordReset {
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// A user proved that mails to their address arrive.
    EmailVerified,
    /// A user asked to change their address.
    EmailChangeRequested,
    /// The address of a user was changed.
    EmailChanged,
    /// The owner of a former address changed it back.
    EmailChangeUndone {
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// A user disowned a sign-in: their password is gone.
    SignInDisowned {
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// The password of a login was right, and a factor is needed. It is a log line alone: whoever knows the password could fill
    /// the table.
    LoginPending,
    /// A user added a factor of this kind.
    FactorAdded(FactorKind),
    /// A user renamed a factor.
    FactorRenamed,
    /// A user removed a factor of this kind.
    FactorRemoved(FactorKind),
    /// A user made recovery codes, which replace the former ones.
    RecoveryCodesCreated,
    /// A recovery code was used.
    RecoveryCodeUsed {
        /// Number of codes that are left.
        left: usize,
    },
    /// All factors of a user were removed, for them.
    FactorsReset {
        /// Number of factors.
        factors_removed: u64,
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
            Self::PasswordResetRequested => "password_reset_requested",
            Self::PasswordReset { .. } => "password_reset",
            Self::EmailVerified => "email_verified",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
            Self::EmailChangeUndone { .. } => "email_change_undone",
            Self::SignInDisowned { .. } => "sign_in_disowned",
            Self::LoginPending => "login_pending",
            Self::FactorAdded(_) => "factor_added",
            Self::FactorRenamed => "factor_renamed",
            Self::FactorRemoved(_) => "factor_removed",
            Self::RecoveryCodesCreated => "recovery_codes_created",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::FactorsReset { .. } => "factors_reset",
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
            | Self::PasswordChanged { sessions_ended }
            | Self::PasswordReset { sessions_ended }
            | Self::EmailChangeUndone { sessions_ended }
            | Self::SignInDisowned { sessions_ended } => json!({"sessions_ended": sessions_ended}),
            Self::UserCreated(role) | Self::UserImported(role) | Self::RoleChanged(role) => {
                json!({"role": role.as_str()})
            }
            Self::FactorAdded(kind) | Self::FactorRemoved(kind) => json!({"kind": kind.as_str()}),
            Self::RecoveryCodeUsed { left } => json!({"left": left}),
            Self::FactorsReset { factors_removed } => json!({"factors_removed": factors_removed}),
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
