//! Reference to a user, as operators name one: by ID or by e-mail address.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::email::{Email, InvalidEmail};
use crate::domain::{InvalidUserId, UserId};

/// Reference to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRef {
    /// User with this ID.
    Id(UserId),
    /// User with this e-mail address.
    Email(Email),
}

/// Text that refers to no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidUserRef {
    /// The text is a number, and no user has it.
    #[error(transparent)]
    Id(#[from] InvalidUserId),
    /// The text is not an e-mail address.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
}

impl FromStr for UserRef {
    type Err = InvalidUserRef;

    /// Reads a number as an ID, and any other text as an address: addresses have an `@`.
    fn from_str(text: &str) -> Result<Self, InvalidUserRef> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self::Id(text.parse()?))
        } else {
            Ok(Self::Email(Email::parse(text)?))
        }
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Email(email) => f.write_str(email.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_an_id_and_any_other_text_an_address() {
        let check = |text: &str, expected| assert_eq!(text.parse::<UserRef>(), expected, "{text:?}");
        check("42", Ok(UserRef::Id(UserId(42))));
        check("42@a.example", Ok(UserRef::Email(Email::stored("42@a.example".to_owned()))));
        check(" Ada@A.Example", Ok(UserRef::Email(Email::stored("ada@a.example".to_owned()))));
        check("0", Err(InvalidUserRef::Id(InvalidUserId)));
        check("99999999999999999999", Err(InvalidUserRef::Id(InvalidUserId)));
        check("-1", Err(InvalidUserRef::Email(InvalidEmail::Malformed)));
        check("", Err(InvalidUserRef::Email(InvalidEmail::Empty)));
    }
}
