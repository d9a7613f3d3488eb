//! What a user may be at the edge: a short name and nothing more. What a role allows is the filter's business.

use std::fmt;

/// The longest role, in bytes.
const MAX_BYTES: usize = 64;

/// A role: `[a-z0-9][a-z0-9_-]{0,63}`, the form that the filter accepts in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role(String);

/// The text does not have the form of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRole;

impl Role {
    /// Reads a role, exactly as written.
    pub fn parse(text: &str) -> Result<Self, InvalidRole> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let starts_well = text.bytes().next().is_some_and(is_word);
        let goes_on_well = text.bytes().all(|byte| is_word(byte) || byte == b'_' || byte == b'-');
        if starts_well && goes_on_well && text.len() <= MAX_BYTES {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRole)
        }
    }

    /// The role's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InvalidRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a role is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit")
    }
}

impl std::error::Error for InvalidRole {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_exactly_the_form_the_edge_accepts() {
        for role in ["customer", "admin", "a", "0", "team-lead_2", &"a".repeat(64)] {
            assert_eq!(Role::parse(role).map(|role| role.0).as_deref(), Ok(role));
        }
        for text in
            ["", "Admin", "-admin", "_admin", "ad min", "admin\n", "admin,root", "rôle", &"a".repeat(65)]
        {
            assert_eq!(Role::parse(text), Err(InvalidRole), "{text:?}");
        }
    }
}
