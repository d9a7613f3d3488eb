//! What a user may be at the edge: a short name and nothing more. What a role allows is the filter's business.

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
    /// Reads a role, exactly as written.
    pub fn parse(text: &str) -> Result<Self, InvalidRole> {
        if is_role(text) { Ok(Self(text.to_owned())) } else { Err(InvalidRole) }
    }

    /// The role's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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
