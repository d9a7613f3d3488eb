//! The role of a user: a short name and nothing more. The filter's rules say what a role allows.

use edgeward_wire::role::{MAX_BYTES, is_role};
use thiserror::Error;

/// Role of a user, by the grammar of [`is_role`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role(String);

/// Text that is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a role is 1 to {MAX_BYTES} of a-z, 0-9, _ and -, and starts with a letter or digit")]
pub struct InvalidRole;

impl Role {
    /// Role of a user who registers, and the default of the column `users.role`.
    #[must_use]
    pub fn initial() -> Self {
        Self("customer".to_owned())
    }

    /// Role whose users administrate the others, here and in the filter's rule of the admin API.
    #[must_use]
    pub fn admin() -> Self {
        Self("admin".to_owned())
    }

    /// Returns `true` for [`Role::admin`].
    #[must_use]
    pub fn is_admin(&self) -> bool {
        *self == Self::admin()
    }

    /// Reads a role exactly as written: nothing is trimmed, and case counts.
    ///
    /// # Errors
    /// [`InvalidRole`] if `text` does not have the form of a role.
    pub fn parse(text: &str) -> Result<Self, InvalidRole> {
        if is_role(text) { Ok(Self(text.to_owned())) } else { Err(InvalidRole) }
    }

    /// Returns the name of the role.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_exactly_as_written() {
        assert_eq!(Role::parse("team-lead_2").unwrap().as_str(), "team-lead_2");
        for text in ["", "Admin", " admin", &"a".repeat(MAX_BYTES + 1)] {
            assert_eq!(Role::parse(text), Err(InvalidRole), "{text:?}");
        }
    }

    #[test]
    fn message_names_the_maximum_length() {
        let expected = "a role is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit";
        assert_eq!(InvalidRole.to_string(), expected);
    }
}
