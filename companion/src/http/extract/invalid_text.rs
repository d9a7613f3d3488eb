//! Stable codes of the reasons that a text does not parse.

use std::fmt::Display;

use crate::domain::account::email::InvalidEmail;
use crate::domain::account::name::InvalidName;
use crate::domain::account::password::InvalidPassword;

/// Reason that a text does not parse.
pub(in crate::http) trait InvalidText: Display {
    /// Returns the stable, machine-readable code.
    fn code(&self) -> &'static str;
}

impl InvalidText for InvalidEmail {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "email_too_long",
            Self::InvisibleCharacter => "email_has_invisible_character",
            Self::NotAscii => "email_not_ascii",
            Self::Malformed => "email_malformed",
        }
    }
}

impl InvalidText for InvalidName {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "name_too_long",
            Self::InvisibleCharacter => "name_has_invisible_character",
        }
    }
}

impl InvalidText for InvalidPassword {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::ControlCharacter => "password_has_control_character",
        }
    }
}
