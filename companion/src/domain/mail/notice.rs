//! Notices that follow from audit events: whoever can sign in to an account is told of every change of what signs in (OWASP
//! ASVS 5.0, 6.3.7). Every door that records the event sends the mail.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Details, MailKind};
use crate::domain::audit::Event;
use crate::domain::factor::{FactorKind, Removed};

/// Change of the factors of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// An authenticator app was added.
    AppAdded,
    /// A passkey was added.
    PasskeyAdded,
    /// An authenticator app was removed.
    AppRemoved,
    /// A passkey was removed.
    PasskeyRemoved,
    /// New recovery codes replace the former ones.
    RecoveryCodesCreated,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// All factors and recovery codes were removed.
    Reset,
}

/// Notice of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Kind of its mail.
    pub kind: MailKind,
    /// Content of its mail.
    pub details: Details,
}

impl FactorChange {
    /// Every change.
    pub const ALL: [Self; 7] = [
        Self::AppAdded,
        Self::PasskeyAdded,
        Self::AppRemoved,
        Self::PasskeyRemoved,
        Self::RecoveryCodesCreated,
        Self::RecoveryCodeUsed,
        Self::Reset,
    ];

    /// Returns the change that an event records.
    fn of(event: &Event) -> Option<Self> {
        match event {
            Event::FactorAdded(FactorKind::Totp) => Some(Self::AppAdded),
            Event::FactorAdded(FactorKind::Passkey) => Some(Self::PasskeyAdded),
            Event::FactorRemoved(FactorKind::Totp) => Some(Self::AppRemoved),
            Event::FactorRemoved(FactorKind::Passkey) => Some(Self::PasskeyRemoved),
            Event::RecoveryCodesCreated => Some(Self::RecoveryCodesCreated),
            Event::RecoveryCodeUsed { .. } => Some(Self::RecoveryCodeUsed),
            Event::FactorsReset { removed, .. } if *removed != Removed::default() => Some(Self::Reset),
            _ => None,
        }
    }
}

impl Notice {
    /// Returns the notice of an event; `None` if its user is told in another way, or not.
    #[must_use]
    pub fn of(event: &Event, at: OffsetDateTime) -> Option<Self> {
        let details = Details::of(at);
        match event {
            Event::PasswordChanged { .. } | Event::PasswordReset { .. } => {
                Some(Self { kind: MailKind::PasswordChanged, details })
            }
            event => {
                let factors = Some(FactorChange::of(event)?);
                Some(Self { kind: MailKind::FactorsChanged, details: Details { factors, ..details } })
            }
        }
    }
}
