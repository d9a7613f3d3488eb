//! What is asked of requests: a plugin configuration, compiled. It holds the answers to the gate's questions
//! and asks none itself.

use crate::claims::Expected;
use crate::cookie;
use crate::origin::{self, Origins};
use crate::request::{Name, Request};
use crate::rules::Rules;

/// What is asked of requests: a plugin configuration, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What a token's claims must say.
    pub expected: Expected,
    /// The names of our cookies.
    pub cookies: Cookies,
    /// The names of the headers that tell an upstream who is calling.
    pub headers: IdentityHeaders,
    /// Who may go where.
    pub rules: Rules,
    /// The other origins whose pages may send unsafe requests with our cookies and read local replies.
    pub origins: Origins,
    /// `true` if no other page may send unsafe requests with our cookies.
    pub cross_site_denied: bool,
    /// Where a browser without a valid token is sent.
    pub login_url: Option<String>,
    /// The path at which the filter itself says whether it can let anybody in.
    pub ready_path: Option<String>,
    /// How old what the feed told may be, in seconds; absent when it may be of any age.
    pub max_staleness_s: Option<u64>,
    /// Whether the companion is asked for a new access token where that would help.
    pub refresh_enabled: bool,
    /// The longest token that is looked at, in bytes.
    pub max_token_bytes: usize,
}

/// The names of our two cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// The access token's.
    pub access: String,
    /// The refresh token's.
    pub refresh: String,
}

/// The names of the identity headers, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// The user's ID.
    pub user_id: String,
    /// The user's role.
    pub role: String,
    /// The session's number.
    pub session_id: String,
}

impl Policy {
    /// Whether another site's page may have sent a request that changes something.
    pub(crate) fn is_cross_site(&self, request: &Request<'_>) -> bool {
        self.cross_site_denied && origin::is_unsafe(request) && !self.origins.admit(request)
    }
}

impl Cookies {
    /// Whether a request carries one of ours; repeated ones count.
    pub(crate) fn present_in(&self, request: &Request<'_>) -> bool {
        [&self.access, &self.refresh]
            .into_iter()
            .any(|name| cookie::find(request.all(Name::Cookie), name) != Ok(None))
    }
}

impl IdentityHeaders {
    /// Whether an upstream could take a header of this name for one of ours. Many make no difference between
    /// cases, and those that make environment variables of headers (RFC 3875 §4.1.18) turn whatever is
    /// neither letter nor digit into one character.
    #[must_use]
    pub fn could_match(&self, name: &[u8]) -> bool {
        // Few names are as long as one of ours.
        [&self.user_id, &self.role, &self.session_id]
            .iter()
            .any(|ours| ours.len() == name.len() && is_same(ours, name))
    }
}

#[inline(never)]
fn is_same(ours: &str, name: &[u8]) -> bool {
    let fold = |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    ours.bytes().zip(name).all(|(a, &b)| fold(a) == fold(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_could_pass_for_ours_are_recognised() {
        let headers = IdentityHeaders {
            user_id: "x-user-id".into(),
            role: "x-user-role".into(),
            session_id: "x-session-id".into(),
        };
        for name in
            ["x-user-id", "X-User-Id", "x_user_id", "x-user_id", "X_USER_ROLE", "x.session.id", "x~user!id"]
        {
            assert!(headers.could_match(name.as_bytes()), "{name}");
        }
        for name in ["x-user-id2", "x-user", "xuserid", "user-id", "x-user-ids", "x1user-id", ""] {
            assert!(!headers.could_match(name.as_bytes()), "{name}");
        }
    }
}
