//! Audit events: what happened to an account, a session or the keys, and the actor. An event holds no password, token
//! or e-mail address; a person is a user ID.

mod details;
mod entry;
pub mod list;
mod names;

pub use self::entry::Entry;
pub use self::names::NAMES;
use super::account::role::Role;
use super::factor::{FactorKind, Removed};
use super::session::authentication::Methods;

/// Audit event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A user created their own account.
    Registered,
    /// A session began.
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
        /// Factors and recovery codes that were removed.
        removed: Removed,
        /// Number of sessions that ended.
        sessions_ended: usize,
    },
    /// A user disowned a sign-in, or a change of factors: their password is gone.
    SignInDisowned {
        /// Factors and recovery codes that were removed.
        removed: Removed,
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
    /// All factors and recovery codes of a user were removed, for them.
    FactorsReset {
        /// Factors and recovery codes that were removed.
        removed: Removed,
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

#[cfg(test)]
mod tests;
