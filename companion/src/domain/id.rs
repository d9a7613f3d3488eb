//! Identifiers: one type each, so that a user's never passes for a session's.

use std::fmt;
use std::str::FromStr;

use edgeward_wire::user_id;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Maximum length of a request ID, in bytes. Chosen: nearly twice a UUID, which is what gateways send.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// Identifier of a user: `users.id`, and the `sub` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// Identifier of a session: `refresh_tokens.id`, and the `sid` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

/// Identifier of a request, in the logs of everything that it passes through: 1 to 64 bytes of `[0-9A-Za-z._-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

/// Text that is not a user ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a user ID is a positive decimal number")]
pub struct InvalidUserId;

/// Text that is not a session ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a session ID is a positive decimal number")]
pub struct InvalidSessionId;

/// Text that is not a request ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a request ID is 1 to 64 of 0-9, A-Z, a-z, '.', '_' and '-'")]
pub struct InvalidRequestId;

impl RequestId {
    /// ID of the request with a number in a process with a random name.
    #[must_use]
    pub fn of_process(process: u64, number: u64) -> Self {
        Self(format!("{process:016x}-{number}"))
    }

    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=MAX_REQUEST_ID_BYTES).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned())).ok_or(InvalidRequestId)
    }
}

impl FromStr for UserId {
    type Err = InvalidUserId;

    /// Reads a `sub` claim by the grammar of [`user_id::parse`].
    fn from_str(text: &str) -> Result<Self, InvalidUserId> {
        read_bigint(text).map(Self).ok_or(InvalidUserId)
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    /// Reads a session ID by the grammar of user IDs: a positive `bigint` in its one spelling.
    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        read_bigint(text).map(Self).ok_or(InvalidSessionId)
    }
}

fn read_bigint(text: &str) -> Option<i64> {
    user_id::parse(text)?.try_into().ok()
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Widths of columns count.
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_short_and_plain() {
        for (text, is_id) in [
            ("a", true),
            ("0f1e-2d3c_4b.5A", true),
            (&"a".repeat(64), true),
            (&"a".repeat(65), false),
            ("", false),
            ("a b", false),
            ("a\n", false),
            ("é", false),
            ("a\"b", false),
        ] {
            assert_eq!(text.parse::<RequestId>().is_ok(), is_id, "{text:?}");
        }
    }
}
