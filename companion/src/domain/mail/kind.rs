//! Kinds of mail, and which of them are sent.

use time::Duration;

use crate::domain::token::one_time::Purpose;

/// Time for which a mail without a link is of use. Chosen: a notice of yesterday still helps.
const NOTICE_LIFETIME: Duration = Duration::DAY;

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
    /// Notice of other factors or recovery codes, with a link that ends all sessions.
    FactorsChanged,
    /// Notice of wrong codes or passkeys behind the right password.
    WrongCodes,
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
    /// Notice of every change of factors and recovery codes.
    pub factors_changed: bool,
    /// Notice of wrong codes or passkeys behind the right password.
    pub wrong_codes: bool,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::ChangeEmail,
        Self::EmailChanged,
        Self::NewSignIn,
        Self::FactorsChanged,
        Self::WrongCodes,
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
            Self::FactorsChanged => "factors_changed",
            Self::WrongCodes => "wrong_codes",
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
            Self::PasswordChanged | Self::WrongCodes => None,
            Self::ChangeEmail => Some(Purpose::ChangeEmail),
            Self::EmailChanged => Some(Purpose::UndoEmail),
            Self::NewSignIn | Self::FactorsChanged => Some(Purpose::DisownSignIn),
        }
    }

    /// Returns `true` if a mail of this kind is of no use without its token.
    #[must_use]
    pub fn requires_token(self) -> bool {
        self.purpose().is_some() && !matches!(self, Self::EmailChanged | Self::FactorsChanged)
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
        factors_changed: true,
        wrong_codes: true,
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
                "factors-changed" => kinds.factors_changed = false,
                "wrong-codes" => kinds.wrong_codes = false,
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
            MailKind::FactorsChanged => self.factors_changed,
            MailKind::WrongCodes => self.wrong_codes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
