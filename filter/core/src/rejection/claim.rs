//! Names of the claims that the filter judges.

use std::fmt;

/// A claim that is judged (RFC 7519 §4.1, RFC 9068 §2.2 and §2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Issuer.
    Iss,
    /// Audience.
    Aud,
    /// Expiration time.
    Exp,
    /// Issued at.
    Iat,
    /// Not before.
    Nbf,
    /// Subject: the user's ID.
    Sub,
    /// The session's number.
    Sid,
    /// The user's role.
    Role,
    /// Time of the user's last authentication.
    AuthTime,
    /// Methods of that authentication.
    Amr,
}

impl Claim {
    /// Returns the claim's name in a token.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iss => "iss",
            Self::Aud => "aud",
            Self::Exp => "exp",
            Self::Iat => "iat",
            Self::Nbf => "nbf",
            Self::Sub => "sub",
            Self::Sid => "sid",
            Self::Role => "role",
            Self::AuthTime => "auth_time",
            Self::Amr => "amr",
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
