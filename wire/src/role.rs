//! Names of roles: the `role` claim of an access token, `roles` of the filter's rules, and the column `users.role`.

/// Maximum length of a role, in bytes. Chosen: room for a qualified name, in a token below
/// [`MAX_ISSUED_BYTES`](crate::access_token::MAX_ISSUED_BYTES).
pub const MAX_BYTES: usize = 64;

/// Grammar of a role as a regular expression, for messages and for the check of the database.
pub const GRAMMAR: &str = "[a-z0-9][a-z0-9_-]{0,63}";

/// Returns `true` if `text` is a role, which matches [`GRAMMAR`] and has at most [`MAX_BYTES`]. All of its characters
/// may stand in a header field and in a log line as they are.
#[must_use]
pub fn is_role(text: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= MAX_BYTES
        && text.bytes().next().is_some_and(is_alphanumeric)
        && text.bytes().all(|byte| is_alphanumeric(byte) || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_is_lower_case_and_starts_with_a_letter_or_digit() {
        for role in ["customer", "admin", "a", "0", "team-lead_2", &"a".repeat(MAX_BYTES)] {
            assert!(is_role(role), "{role}");
        }
        let too_long = "a".repeat(MAX_BYTES + 1);
        for text in ["", "Admin", "-admin", "_admin", "ad min", "admin\n", "admin,root", "rôle", &too_long] {
            assert!(!is_role(text), "{text:?}");
        }
    }

    #[test]
    fn grammar_states_the_maximum_length() {
        assert_eq!(GRAMMAR, format!("[a-z0-9][a-z0-9_-]{{0,{}}}", MAX_BYTES - 1));
    }

    #[test]
    fn database_accepts_the_same_roles() {
        let migration = include_str!("../../migrations/0001_users.up.sql");
        assert!(migration.contains(&format!("check (role ~ '^{GRAMMAR}$')")));
    }
}
