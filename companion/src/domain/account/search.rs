//! Search for users, by administrators.

use thiserror::Error;

use super::name;
use super::role::Role;
use super::text::{is_all_visible, trim};
use crate::domain::UserId;
use crate::domain::page::{self, InvalidCursor};

/// Maximum length, in bytes: that of an e-mail address.
const MAX_BYTES: usize = 254;

/// Conditions on the users of a list. All of them hold; the default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Search.
    pub search: Option<Search>,
    /// Role.
    pub role: Option<Role>,
    /// `true` for users who may not sign in, `false` for those who may.
    pub disabled: Option<bool>,
}

/// Search for users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// The user with this ID.
    Id(UserId),
    /// Users whose e-mail address or last name begins with this text, in upper or lower case.
    Prefix(String),
}

/// Fault of a text that nothing can be searched for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidSearch {
    /// The text has more than 254 bytes.
    #[error("A search has at most {MAX_BYTES} bytes")]
    TooLong,
    /// There is a control character or an invisible one.
    #[error("A search has no control or invisible characters")]
    InvisibleCharacter,
}

/// Place in a list of users: after the user with this key and this ID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserCursor {
    /// Text that the search has found, in lower case; empty in a list that is ordered by ID.
    pub key: String,
    /// ID of the user.
    pub id: i64,
}

impl Search {
    /// Reads a search as a person types it. Digits alone are an ID. `None` if the text is blank.
    ///
    /// # Errors
    /// [`InvalidSearch`] names the first fault.
    pub fn parse(typed: &str) -> Result<Option<Self>, InvalidSearch> {
        if typed.len() > MAX_BYTES {
            return Err(InvalidSearch::TooLong);
        }
        // As names are stored.
        let text = name::compose(&trim(typed));
        if !is_all_visible(&text) {
            return Err(InvalidSearch::InvisibleCharacter);
        }
        Ok(match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => Some(Self::Prefix(text)).filter(|search| *search != Self::Prefix(String::new())),
        })
    }
}

impl UserCursor {
    /// Reads a cursor of [`UserCursor::encode`].
    ///
    /// # Errors
    /// [`InvalidCursor`] if it is none.
    pub fn decode(text: &str) -> Result<Self, InvalidCursor> {
        let (id, key) = page::decode(text)?;
        Ok(Self { key, id })
    }

    /// Writes the cursor, opaque to clients.
    #[must_use]
    pub fn encode(&self) -> String {
        page::encode(self.id, &self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_are_an_id_and_all_else_is_a_prefix() {
        let prefix = |text: &str| Ok(Some(Search::Prefix(text.to_owned())));
        let check = |typed: &str, expected| assert_eq!(Search::parse(typed), expected, "{typed:?}");
        check(" 42 ", Ok(Some(Search::Id(UserId(42)))));
        check("042", prefix("042"));
        check("42@", prefix("42@"));
        check(" O'Br%_\\", prefix("O'Br%_\\"));
        check("Zoe\u{308}", prefix("Zoë"));
        check(" \u{200b}", Ok(None));
        check("", Ok(None));
        check("a\0b", Err(InvalidSearch::InvisibleCharacter));
        check(&"é".repeat(128), Err(InvalidSearch::TooLong));
    }
}
