//! Remedy of a rejected request: a new token, or a fresh proof of the user.

use super::Rejection;

impl Rejection {
    /// `true` if a fresh proof of the user would let the request pass. A new token of the same session would not.
    #[must_use]
    pub const fn calls_for_proof(self) -> bool {
        matches!(self, Self::AuthenticationOutdated { .. } | Self::AuthenticationInsufficient { .. })
    }

    /// `true` if a new token of the same session would let the request pass.
    #[must_use]
    pub const fn calls_for_refresh(self) -> bool {
        // A token from the future is older than a clock that was set back.
        matches!(
            self,
            Self::CookieMissing
                | Self::KeyUnknown
                | Self::Expired { .. }
                | Self::IssuedInFuture { .. }
                | Self::TokenOutdated { .. }
        )
    }
}
