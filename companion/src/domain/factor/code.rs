//! Code that a user types as the second step: that of an authenticator app, or a recovery code.

use thiserror::Error;

use super::recovery_code::RecoveryCode;

/// Number of digits of a code of an authenticator app.
const DIGITS: usize = 6;

/// Code as it was typed. It has no `Debug`, so that no log can show it.
pub enum FactorCode {
    /// Six digits of an authenticator app.
    Totp(String),
    /// Recovery code.
    Recovery(RecoveryCode),
}

/// Text that is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("A code is six digits, or a recovery code")]
pub struct InvalidFactorCode;

impl FactorCode {
    /// Parses a code as it was typed: apps show blanks between the digits.
    ///
    /// # Errors
    /// [`InvalidFactorCode`] if it is none.
    pub fn parse(typed: &str) -> Result<Self, InvalidFactorCode> {
        let recovery = || RecoveryCode::parse(typed).map(Self::Recovery).map_err(|_| InvalidFactorCode);
        parse_digits(typed).map(Self::Totp).or_else(|_| recovery())
    }
}

/// Parses the code of an authenticator app as it was typed.
///
/// # Errors
/// [`InvalidFactorCode`] if it is not six digits.
pub fn parse_digits(typed: &str) -> Result<String, InvalidFactorCode> {
    let digits: String = typed.chars().filter(|char| !char.is_whitespace()).take(DIGITS + 1).collect();
    let is_code = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(digits).ok_or(InvalidFactorCode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_of_an_app_and_the_rest_is_a_recovery_code() {
        for typed in ["123456", "123 456", " 123456\n"] {
            assert!(
                matches!(FactorCode::parse(typed), Ok(FactorCode::Totp(code)) if code == "123456"),
                "{typed}"
            );
        }
        assert!(matches!(FactorCode::parse(&"0".repeat(24)), Ok(FactorCode::Recovery(_))));
        for typed in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(FactorCode::parse(typed).is_err(), "{typed}");
        }
    }
}
