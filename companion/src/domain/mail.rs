//! Mails: their kinds, what they tell, and when a failed one is tried again. Nobody's name is in one: whoever registers
//! somebody else's address could write to them in our name.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::account::email::Email;
use super::language::Language;
use super::token::one_time::Purpose;

/// Time for which a mail without a link is of use. Chosen: a notice of yesterday still helps.
const NOTICE_LIFETIME: Duration = Duration::DAY;
/// Time after the first failure, which doubles with each. Chosen: graylisting servers want minutes (RFC 6647 §5.2).
const FIRST_PAUSE: Duration = Duration::seconds(15);
/// Maximum time between two attempts. Chosen: shorter than what a link lives.
const MAX_PAUSE: Duration = Duration::minutes(15);

/// Time for which a mail that is being sent is left alone. Longer than the mail server may take for it.
pub const LEASE: Duration = Duration::MINUTE;

/// Kind of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// Link that verifies the address.
    VerifyEmail,
    /// Link that sets a new password.
    ResetPassword,
    /// Notice of a new password.
    PasswordChanged,
    /// Link that makes the address the one of an account.
    ChangeEmail,
    /// Notice at the former address, with a link that undoes the change.
    EmailChanged,
    /// Notice of a sign-in on an unknown device, with a link that ends the session.
    NewSignIn,
}

/// Kinds of mail that are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each kind")]
pub struct MailKinds {
    /// Verification of addresses.
    pub verification: bool,
    /// Reset of forgotten passwords.
    pub password_reset: bool,
    /// Notice of every new password.
    pub password_changed: bool,
    /// Change of address, with its notice.
    pub email_change: bool,
    /// Notice of sign-ins on unknown devices.
    pub new_sign_in: bool,
}

/// Content of a mail, by its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Time of what it tells, in seconds since 1970.
    pub at: i64,
    /// Program and system of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Network of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// New address of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_email: Option<String>,
}

/// Link and code of a mail. It has no `Debug`, so that no log can show it.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    /// Text of the token.
    pub token: String,
    /// Digits of the code.
    pub code: Option<String>,
}

/// Mail that is to be sent.
pub struct Mail {
    /// Number, which each attempt has in common.
    pub id: i64,
    /// Kind.
    pub kind: MailKind,
    /// Recipient.
    pub to: Email,
    /// Language of its recipient, if it is known.
    pub language: Option<Language>,
    /// Content.
    pub details: Details,
    /// Link and code; `None` for a notice without a link.
    pub secrets: Option<Secrets>,
    /// Time of what it tells.
    pub created_at: OffsetDateTime,
}

impl Details {
    /// Makes the content of every mail: the time of what it tells.
    #[must_use]
    pub fn of(at: OffsetDateTime) -> Self {
        Self { at: at.unix_timestamp(), ..Self::default() }
    }
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::ChangeEmail,
        Self::EmailChanged,
        Self::NewSignIn,
    ];

    /// Returns the value of `outbox.kind` and of a metric's label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::ChangeEmail => "change_email",
            Self::EmailChanged => "email_changed",
            Self::NewSignIn => "new_sign_in",
        }
    }

    /// Finds the kind of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the purpose of its link; `None` for a notice without one.
    #[must_use]
    pub fn purpose(self) -> Option<Purpose> {
        match self {
            Self::VerifyEmail => Some(Purpose::VerifyEmail),
            Self::ResetPassword => Some(Purpose::ResetPassword),
            Self::PasswordChanged => None,
            Self::ChangeEmail => Some(Purpose::ChangeEmail),
            Self::EmailChanged => Some(Purpose::UndoEmail),
            Self::NewSignIn => Some(Purpose::DisownSignIn),
        }
    }

    /// Returns the time for which a mail of this kind is of use.
    #[must_use]
    pub fn lifetime(self) -> Duration {
        self.purpose().map_or(NOTICE_LIFETIME, Purpose::lifetime)
    }
}

impl MailKinds {
    /// All kinds.
    pub const ALL: Self = Self {
        verification: true,
        password_reset: true,
        password_changed: true,
        email_change: true,
        new_sign_in: true,
    };

    /// Reads the names of kinds that are off, comma-separated. `None` if one is unknown.
    #[must_use]
    pub fn without(names: &str) -> Option<Self> {
        let mut kinds = Self::ALL;
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "verification" => kinds.verification = false,
                "password-reset" => kinds.password_reset = false,
                "password-changed" => kinds.password_changed = false,
                "email-change" => kinds.email_change = false,
                "new-sign-in" => kinds.new_sign_in = false,
                _ => return None,
            }
        }
        Some(kinds)
    }

    /// Returns `true` if mails of a kind are sent.
    #[must_use]
    pub fn contain(self, kind: MailKind) -> bool {
        match kind {
            MailKind::VerifyEmail => self.verification,
            MailKind::ResetPassword => self.password_reset,
            MailKind::PasswordChanged => self.password_changed,
            MailKind::ChangeEmail | MailKind::EmailChanged => self.email_change,
            MailKind::NewSignIn => self.new_sign_in,
        }
    }
}

/// Returns the time of the next attempt, after so many that failed.
#[must_use]
pub fn next_attempt(attempts: i32, now: OffsetDateTime) -> OffsetDateTime {
    let doublings = u32::try_from(attempts).unwrap_or_default().saturating_sub(1).min(10);
    now + (FIRST_PAUSE * 2_i32.pow(doublings)).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_doubles_up_to_a_quarter_of_an_hour() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (attempts, seconds) in [(1, 15), (2, 30), (3, 60), (6, 480), (7, 900), (100, 900), (0, 15)] {
            assert_eq!((next_attempt(attempts, now) - now).whole_seconds(), seconds, "{attempts}");
        }
    }

    #[test]
    fn kinds_are_turned_off_one_by_one() {
        assert_eq!(MailKinds::without(""), Some(MailKinds::ALL));
        let less = MailKinds::without("verification, new-sign-in").unwrap();
        let off: Vec<_> = MailKind::ALL.into_iter().filter(|kind| !less.contain(*kind)).collect();
        assert_eq!(off, [MailKind::VerifyEmail, MailKind::NewSignIn]);
        assert_eq!(MailKinds::without("mails"), None);
        assert!(MailKind::ALL.into_iter().all(|kind| !MailKinds::default().contain(kind)));
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in MailKind::ALL {
            assert_eq!(MailKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(MailKind::parse("newsletter"), None);
    }
}
