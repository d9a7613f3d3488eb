//! Policy: the compiled configuration that `gate` decides by.

use crate::claims::Expected;
use crate::cookie::Found;
use crate::origin::{self, Origins};
use crate::request::Request;
use crate::rules::Rules;

/// Compiled configuration for the decisions on requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Expected values of a token's claims.
    pub expected: Expected,
    /// Names of our cookies.
    pub cookies: Cookies,
    /// Names of the headers that carry the identity upstream.
    pub headers: IdentityHeaders,
    /// Access rules.
    pub rules: Rules,
    /// Other origins whose pages may send unsafe requests with our cookies and read local replies.
    pub origins: Origins,
    /// `true` if pages of all other origins may not send unsafe requests with our cookies.
    pub cross_site_denied: bool,
    /// URL that browsers without a valid token are redirected to, if there is one.
    pub login_url: Option<String>,
    /// Path at which the filter itself reports its readiness, if there is one.
    pub ready_path: Option<String>,
    /// Maximum age of the feed's last response, in seconds; absent if any age is accepted.
    pub max_staleness_s: Option<u64>,
    /// `true` if the companion is asked for a new access token when that would help.
    pub refresh_enabled: bool,
    /// Paths whose `POST` requests are attempts with credentials, which are rejected from banned networks.
    pub attempt_paths: Vec<String>,
    /// Maximum length of a token, in bytes.
    pub max_token_bytes: usize,
}

/// Names of our two cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// Cookie of the access token.
    pub access: String,
    /// Cookie of the refresh token.
    pub refresh: String,
}

/// Names of the identity headers, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// Header of the user's ID.
    pub user_id: String,
    /// Header of the user's role.
    pub role: String,
    /// Header of the session's number.
    pub session_id: String,
    /// Header of the time of the user's last authentication; absent if upstreams do not want it. Then that of a client
    /// is removed under `x-auth-time`.
    pub auth_time: Option<String>,
    /// Header of the methods of that authentication; absent if upstreams do not want it. Then that of a client is removed
    /// under `x-amr`.
    pub amr: Option<String>,
    /// Lengths of the names that are removed, each as a bit.
    lengths: u64,
}

/// Name that upstreams expect the time of the last authentication under, in lower case.
const USUAL_AUTH_TIME: &str = "x-auth-time";

/// Name that upstreams expect the methods of that authentication under, in lower case.
const USUAL_AMR: &str = "x-amr";

impl Policy {
    /// `true` if another site's page may have sent this request, and it may change something.
    pub(crate) fn is_cross_site(&self, request: &Request<'_>) -> bool {
        self.cross_site_denied && origin::is_unsafe(request) && !self.origins.admit(request)
    }
}

impl Cookies {
    /// `true` if a request has one of our cookies, or several of them.
    pub(crate) fn present_in(&self, request: &Request<'_>) -> bool {
        self.read(request).iter().any(|found| *found != Ok(None))
    }

    /// Reads the cookies of the access token and of the refresh token.
    pub(crate) fn read<'q, 'r>(&self, request: &'q Request<'r>) -> &'q [Found<'r>; 2] {
        request.token_cookies([&self.access, &self.refresh])
    }
}

impl IdentityHeaders {
    /// Takes the names, in lower case.
    #[must_use]
    pub fn new(
        [user_id, role, session_id]: [String; 3],
        auth_time: Option<String>,
        amr: Option<String>,
    ) -> Self {
        let mut headers = Self { user_id, role, session_id, auth_time, amr, lengths: 0 };
        headers.lengths = headers.removed().iter().fold(0, |all, name| all | length_bit(name.len()));
        headers
    }

    /// Returns the names that are removed.
    fn removed(&self) -> [&str; 5] {
        let auth_time = self.auth_time.as_deref().unwrap_or(USUAL_AUTH_TIME);
        let amr = self.amr.as_deref().unwrap_or(USUAL_AMR);
        [&self.user_id, &self.role, &self.session_id, auth_time, amr]
    }

    /// `true` if an upstream could mistake a header of this name for an identity header. Header names are
    /// case-insensitive (RFC 9110 §5.1), and servers that turn headers into environment variables (RFC 3875 §4.1.18)
    /// replace every character but letters and digits by `_`.
    #[must_use]
    pub fn could_match(&self, name: &[u8]) -> bool {
        // It rejects most names.
        length_bit(name.len()) & self.lengths != 0
            && self.removed().iter().any(|ours| ours.len() == name.len() && is_same(ours, name))
    }
}

/// Returns the bit of a length; long ones share the last.
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// `true` if two names of the same length are equal but for case and for characters that are neither letters nor
/// digits.
#[inline(never)]
fn is_same(ours: &str, name: &[u8]) -> bool {
    let fold = |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    ours.bytes().zip(name).all(|(a, &b)| fold(a) == fold(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    // holds: invariant 1, promise 1
    #[test]
    fn names_similar_to_identity_headers_are_recognised() {
        let names = ["x-user-id", "x-user-role", "x-session-id"].map(str::to_owned);
        let headers = IdentityHeaders::new(names, Some("x-proved-at".to_owned()), None);
        for name in [
            "x-user-id",
            "X-User-Id",
            "x_user_id",
            "x-user_id",
            "X_USER_ROLE",
            "x.session.id",
            "x~user!id",
            "X_Proved_At",
            "x-amr",
            "X_AMR",
        ] {
            assert!(headers.could_match(name.as_bytes()), "{name}");
        }
        for name in [
            "x-user-id2",
            "x-user",
            "xuserid",
            "user-id",
            "x-user-ids",
            "x1user-id",
            "x-auth-time",
            "amr",
            "",
        ] {
            assert!(!headers.could_match(name.as_bytes()), "{name}");
        }
    }
}
