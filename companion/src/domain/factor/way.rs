//! Ways to pass the second step of a login.

use super::FactorKind;

/// Way to pass the second step of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Code of an authenticator app.
    Totp,
    /// Passkey.
    Passkey,
    /// Recovery code.
    RecoveryCode,
}

impl Way {
    /// Returns the name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => FactorKind::Totp.as_str(),
            Self::Passkey => FactorKind::Passkey.as_str(),
            Self::RecoveryCode => "recovery_code",
        }
    }
}
