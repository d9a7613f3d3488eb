//! The access token's claims: what the companion signs and the filter verifies.

use serde::{Deserialize, Serialize};

/// The `typ` header of an access token (RFC 9068 §2.1). No other token may carry it.
pub const ACCESS_TOKEN_TYP: &str = "at+jwt";

/// The claims of an access token, all of them required (RFC 7519 §4.1, RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who signed it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// The user's ID: decimal, at most 19 digits.
    pub sub: String,
    /// The user's role: `[a-z0-9][a-z0-9_-]{0,63}`.
    pub role: String,
    /// The session's number.
    pub sid: i64,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Not valid at or after this second since 1970.
    pub exp: i64,
}
