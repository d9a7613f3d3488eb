//! Stable codes of the reasons that a text does not parse.

use std::fmt::Display;

use thiserror::Error;

use crate::domain::InvalidUserId;
use crate::domain::account::email::InvalidEmail;
use crate::domain::account::name::InvalidName;
use crate::domain::account::password::InvalidPassword;
use crate::domain::account::password_policy::WeakPasswordRejection;
use crate::domain::account::role::InvalidRole;
use crate::domain::account::search::InvalidSearch;
use crate::domain::audit::list::{InvalidActor, InvalidEvent};
use crate::domain::factor::code::InvalidFactorCode;
use crate::domain::factor::ticket::InvalidTicket;
use crate::domain::page::{InvalidCursor, InvalidPageSize};
use crate::domain::time::InvalidTime;

/// Reason that a text does not parse.
pub(in crate::http) trait InvalidText: Display {
    /// Returns the stable, machine-readable code.
    fn code(&self) -> &'static str;
}

/// Text other than `true` and `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("disabled must be true or false")]
pub(in crate::http) struct InvalidFlag;

/// Code of an authenticator app that is being added, and that another app or another minute has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("The code is wrong")]
pub(in crate::http) struct WrongCode;

/// Value that is not the credential of a passkey, as browsers make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("The credential is not one that a browser has made")]
pub(in crate::http) struct InvalidCredential;

/// Credential of a passkey that is being added, and that is no response to the request, or is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("The passkey cannot be added")]
pub(in crate::http) struct WrongCredential;

/// Reads `true` or `false`.
pub(in crate::http) fn parse_flag(text: &str) -> Result<bool, InvalidFlag> {
    text.parse().map_err(|_| InvalidFlag)
}

/// Implements the trait for reasons without variants.
macro_rules! code {
    ($($reason:ty: $code:literal),+ $(,)?) => {
        $(impl InvalidText for $reason {
            fn code(&self) -> &'static str {
                $code
            }
        })+
    };
}

code! {
    InvalidActor: "actor_unknown",
    InvalidCredential: "credential_malformed",
    InvalidCursor: "cursor_invalid",
    InvalidEvent: "event_unknown",
    InvalidFactorCode: "code_malformed",
    InvalidFlag: "not_true_or_false",
    InvalidPageSize: "limit_out_of_range",
    InvalidRole: "role_malformed",
    InvalidTicket: "token_malformed",
    InvalidTime: "time_malformed",
    InvalidUserId: "user_id_malformed",
    WrongCode: "code_wrong",
    WrongCredential: "credential_wrong",
}

impl InvalidText for InvalidSearch {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "search_too_long",
            Self::InvisibleCharacter => "search_has_invisible_character",
        }
    }
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
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::ControlCharacter => "password_has_control_character",
        }
    }
}

impl InvalidText for WeakPasswordRejection {
    fn code(&self) -> &'static str {
        match self {
            Self::TooCommon(_) => "password_too_common",
            Self::OwnWords(_) | Self::TooWeak(_) => "password_too_weak",
        }
    }
}
