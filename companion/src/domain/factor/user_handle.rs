//! Handle that browsers know a user by (WebAuthn Level 3, §5.4.3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webauthn_rs::prelude::Uuid;

/// Number of random bytes of a handle. The library takes no more; 128 bits do not collide (§14.6.1).
pub const RANDOM_BYTES: usize = 16;

/// Handle of a user. It tells nothing about them, and no other deployment with the same domain has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserHandle([u8; RANDOM_BYTES]);

impl UserHandle {
    /// Makes a handle of random bytes.
    #[must_use]
    pub fn new(random: [u8; RANDOM_BYTES]) -> Self {
        Self(random)
    }

    /// Reads a handle. `None` if it has another length, so that it is none of ours.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the handle as browsers have it, for signals (§5.1.10).
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl From<UserHandle> for Uuid {
    fn from(UserHandle(bytes): UserHandle) -> Self {
        Self::from_bytes(bytes)
    }
}
