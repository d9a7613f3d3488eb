//! Names and details of events, as the table and the log have them.

use serde_json::{Map, Value, json};

use super::Event;

impl Event {
    pub(super) fn name(&self) -> &'static str {
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

    pub(super) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::LoginRejected(reason) | Self::RefreshRejected(reason) => Some(reason),
            _ => None,
        }
    }

    pub(super) fn details(&self) -> Map<String, Value> {
        let details = match self {
            Self::SessionsEnded { sessions_ended }
            | Self::UserDeleted { sessions_ended }
            | Self::UserDisabled { sessions_ended }
            | Self::PasswordChanged { sessions_ended }
            | Self::PasswordReset { sessions_ended } => json!({"sessions_ended": sessions_ended}),
            Self::UserCreated(role) | Self::UserImported(role) | Self::RoleChanged(role) => {
                json!({"role": role.as_str()})
            }
            Self::FactorAdded(kind) | Self::FactorRemoved(kind) => json!({"kind": kind.as_str()}),
            Self::RecoveryCodeUsed { left } => json!({"left": left}),
            Self::FactorsReset { removed, sessions_ended }
            | Self::EmailChangeUndone { removed, sessions_ended }
            | Self::SignInDisowned { removed, sessions_ended } => json!({
                "factors_removed": removed.factors,
                "recovery_codes_removed": removed.recovery_codes,
                "sessions_ended": sessions_ended,
            }),
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
