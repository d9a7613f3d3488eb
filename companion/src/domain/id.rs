//! Identifiers. Each has its own type, so that a user ID never passes for a session ID.

use std::fmt;
use std::str::FromStr;

use edgeward_wire::user_id;
use serde::Serialize;
use thiserror::Error;

/// Maximum length of a request ID, in bytes. Chosen: nearly twice a UUID, which gateways send.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// User ID: `users.id`, and the claim `sub`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// Session ID: `refresh_tokens.id`, and the claim `sid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

/// Factor ID: `factors.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FactorId(pub i64);

/// Request ID, in the logs of every service that the request passes: 1 to 64 bytes of `[0-9A-Za-z._-]`.
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

/// Text that is not a factor ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a factor ID is a positive decimal number")]
pub struct InvalidFactorId;

/// Text that is not a request ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a request ID is 1 to {MAX_REQUEST_ID_BYTES} of 0-9, A-Z, a-z, '.', '_' and '-'")]
pub struct InvalidRequestId;

impl RequestId {
    /// Makes the ID of a request by its number within a process. `process` is random, so that no two processes make the
    /// same ID.
    #[must_use]
    pub fn of_process(process: u64, number: u64) -> Self {
        Self(format!("{process:016x}-{number}"))
    }

    /// Returns the ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=MAX_REQUEST_ID_BYTES).contains(&text.len()) && text.bytes().all(is_plain);
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

impl FromStr for FactorId {
    type Err = InvalidFactorId;

    /// Reads a factor ID by the grammar of user IDs.
    fn from_str(text: &str) -> Result<Self, InvalidFactorId> {
        read_bigint(text).map(Self).ok_or(InvalidFactorId)
    }
}

fn read_bigint(text: &str) -> Option<i64> {
    user_id::parse(text)?.try_into().ok()
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By the number's own formatting, which pads columns.
        self.0.fmt(f)
    }
}

impl fmt::Display for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    fn request_id_is_short_and_plain() {
        for (text, is_id) in [
            ("a", true),
            ("0f1e-2d3c_4b.5A", true),
            (&"a".repeat(MAX_REQUEST_ID_BYTES), true),
            (&"a".repeat(MAX_REQUEST_ID_BYTES + 1), false),
            ("", false),
            ("a b", false),
            ("a\n", false),
            ("é", false),
            ("a\"b", false),
        ] {
            assert_eq!(text.parse::<RequestId>().is_ok(), is_id, "{text:?}");
        }
    }

    #[test]
    fn ids_of_users_and_sessions_are_positive_bigints_in_one_spelling() {
        assert_eq!("42".parse(), Ok(UserId(42)));
        assert_eq!(i64::MAX.to_string().parse(), Ok(SessionId(i64::MAX)));
        for text in ["", "0", "-42", "+42", "042", "9223372036854775808"] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidUserId), "{text:?}");
            assert_eq!(text.parse::<SessionId>(), Err(InvalidSessionId), "{text:?}");
        }
    }
}
