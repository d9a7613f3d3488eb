//! Secrets of the configuration.

use std::fmt;

/// Secret that `Debug` does not show (invariant 8).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Secret {
    /// Returns the header field that carries the secret (RFC 6750 §2.1).
    #[must_use]
    pub fn authorization(&self) -> (&'static str, Vec<u8>) {
        ("authorization", format!("Bearer {}", self.0).into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
