//! Names of events.

use time::OffsetDateTime;

use super::*;
use crate::domain::caller::Caller;
use crate::domain::session::authentication::Proof;

#[test]
fn every_event_has_a_label_and_an_unknown_one_is_other() {
    let text = || "x".to_owned();
    let role = || Role::parse("customer").unwrap();
    let events = [
        Event::Registered,
        Event::LoggedIn,
        Event::LoginRejected("password_wrong"),
        Event::Refreshed,
        Event::RefreshRejected("token_reused"),
        Event::RefreshTokenReused,
        Event::Reauthenticated(Proof::Password.methods()),
        Event::SessionEnded,
        Event::SessionsEnded { sessions_ended: 1 },
        Event::LoggedOut,
        Event::LoggedOutEverywhere,
        Event::UserCreated(role()),
        Event::UserImported(role()),
        Event::UserDeleted { sessions_ended: 1 },
        Event::UserDisabled { sessions_ended: 1 },
        Event::UserEnabled,
        Event::UserUnlocked,
        Event::RoleChanged(role()),
        Event::NameChanged,
        Event::PasswordChanged { sessions_ended: 1 },
        Event::PasswordResetRequested,
        Event::PasswordReset { sessions_ended: 1 },
        Event::EmailVerified,
        Event::EmailChangeRequested,
        Event::EmailChanged,
        Event::EmailChangeUndone { removed: Removed::default(), sessions_ended: 1 },
        Event::SignInDisowned { removed: Removed::default(), sessions_ended: 1 },
        Event::LoginPending,
        Event::FactorAdded(FactorKind::Totp),
        Event::FactorRenamed,
        Event::FactorRemoved(FactorKind::Passkey),
        Event::RecoveryCodesCreated,
        Event::RecoveryCodeUsed { left: 9 },
        Event::FactorsReset { removed: Removed::default(), sessions_ended: 1 },
        Event::KeysGenerated(text()),
        Event::KeysRotated { signing: text(), announced: text() },
        Event::KeysImported(text()),
        Event::KeysResealed,
        Event::KeysChanged(text()),
    ];
    let entry = |event| Entry::new(OffsetDateTime::UNIX_EPOCH, &Caller::SYSTEM, event, None, None);
    let entries = events.each_ref().map(entry);
    assert_eq!(entries.each_ref().map(Entry::label), NAMES);
    assert_eq!(Entry { event: text(), ..entries[0].clone() }.label(), "other");
}
