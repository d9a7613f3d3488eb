//! The access token (RFC 9068), which the companion signs and the filter verifies.

use serde::{Deserialize, Serialize};

/// `typ` header of an access token (RFC 9068 §2.1). No other token may have it (RFC 8725 §3.11).
pub const ACCESS_TOKEN_TYP: &str = "at+jwt";

/// `alg` header of an access token, the only one: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3), which RFC 9068 §2.1
/// requires every verifier to support. The verifier chooses it, not the token (RFC 8725 §3.1).
pub const ALGORITHM: &str = "RS256";

/// Default of the `aud` claim in both halves: the companion's `AUDIENCE` and the filter's `audience`.
pub const DEFAULT_AUDIENCE: &str = "edgeward";

/// Maximum lifetime of an access token, in seconds. The filter rejects an `exp` that is further ahead, and the
/// companion keeps the revocations of a user for as long. Chosen: it is the refresh token that keeps a session alive.
pub const MAX_LIFETIME_S: u32 = 86_400;

/// Maximum length of a token that is parsed, in bytes: the companion's limit, for refresh tokens too, and the default
/// of the filter's `max_token_bytes`. Chosen: what every browser stores of one cookie (RFC 6265 §6.1).
pub const MAX_BYTES: usize = 4096;

/// Maximum length of a token that a companion issues, in bytes, with the key and every claim at their own limits.
/// Chosen: below 1 KiB, as browsers send both tokens with every request.
pub const MAX_ISSUED_BYTES: usize = 1023;

const _: () = assert!(MAX_ISSUED_BYTES <= MAX_BYTES);

/// Claims of an access token, all of them required (RFC 7519 §4.1, RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// User ID; [`user_id::parse`](crate::user_id::parse) reads it.
    pub sub: String,
    /// Role of the user; [`is_role`](crate::role::is_role) is its grammar.
    pub role: String,
    /// Session ID.
    pub sid: i64,
    /// Time of issue, in seconds since 1970.
    pub iat: i64,
    /// Expiration time, in seconds since 1970: the token is invalid from this second on.
    pub exp: i64,
}
