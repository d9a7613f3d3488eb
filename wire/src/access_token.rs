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

/// Client of every token (`client_id`, RFC 8693 §4.3): the companion's own API and pages, until others can register.
pub const CLIENT_ID: &str = "edgeward";

/// Claims of an access token (RFC 7519 §4.1, RFC 9068 §2.2). Those that are optional here are absent from the tokens of
/// older companions, and older verifiers ignore them.
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
    /// Time of the user's last proof of who they are, in seconds since 1970 (RFC 9068 §2.2.1). A refresh keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// Methods of that proof (RFC 8176), at most [`MAX_METHODS`](crate::authentication::MAX_METHODS); each is one by
    /// [`is_method`](crate::authentication::is_method).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<String>>,
    /// ID of the token. Equal claims have equal IDs: a repeated response is the same to the byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// [`CLIENT_ID`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims of the release before the optional ones, as its verifiers read them.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct FormerClaims {
        iss: String,
        aud: String,
        sub: String,
        role: String,
        sid: i64,
        iat: i64,
        exp: i64,
    }

    fn former() -> FormerClaims {
        let (iss, aud) = ("edgeward".to_owned(), "shop".to_owned());
        FormerClaims { iss, aud, sub: "42".to_owned(), role: "admin".to_owned(), sid: 7, iat: 1, exp: 2 }
    }

    fn current() -> AccessClaims {
        let FormerClaims { iss, aud, sub, role, sid, iat, exp } = former();
        let (auth_time, amr) = (Some(1), Some(vec!["pwd".to_owned(), "otp".to_owned()]));
        let (jti, client_id) = (Some("abc".to_owned()), Some(CLIENT_ID.to_owned()));
        AccessClaims { iss, aud, sub, role, sid, iat, exp, auth_time, amr, jti, client_id }
    }

    #[test]
    fn former_verifiers_read_the_claims_of_today() {
        let text = serde_json::to_string(&current()).unwrap();
        assert_eq!(serde_json::from_str::<FormerClaims>(&text).unwrap(), former());
    }

    #[test]
    fn claims_of_former_companions_are_read_today() {
        let text = serde_json::to_string(&former()).unwrap();
        let expected = AccessClaims { auth_time: None, amr: None, jti: None, client_id: None, ..current() };
        let read: AccessClaims = serde_json::from_str(&text).unwrap();
        assert_eq!(read, expected);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
}
