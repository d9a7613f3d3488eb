//! The policy: what happens to a request, decided from its head, the keys and the time, and nothing else
//! (invariants 5 and 6). It changes nothing; carrying the decision out is the shell's work.

use crate::claims::{Expected, Identity};
use crate::cookie;
use crate::keys::KeySet;
use crate::origin::{self, Origins};
use crate::path::CanonicalPath;
use crate::rejection::Rejection;
use crate::rules::{Access, Rules};
use crate::token::Unverified;

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
    /// Whose pages may send unsafe requests with our cookies; absent when every page may.
    pub origins: Option<Origins>,
    /// Where a browser without a valid token is sent.
    pub login_url: Option<String>,
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

/// The head of a request. Names are in lower case, as HTTP/2 has them and Envoy makes them.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All its headers in order, pseudo-headers included.
    pub headers: &'a [(&'a [u8], &'a [u8])],
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes upstream.
    Pass {
        /// Who is calling, where that is known.
        identity: Option<Identity>,
        /// Whether our cookies stay in it.
        forward_cookies: bool,
    },
    /// The browser is sent to log in, and comes back after.
    Redirect {
        /// The value of `Location`.
        location: String,
        /// Why it may not pass as it is.
        rejection: Rejection,
    },
    /// It is answered with the rejection's status.
    Refuse {
        /// Why.
        rejection: Rejection,
        /// Who was refused, where that is known.
        identity: Option<Identity>,
    },
}

/// Decides on a request at `now`, in seconds since 1970.
#[must_use]
pub fn decide(policy: &Policy, keys: &KeySet, request: Request<'_>, now: u64) -> Decision {
    let path = match CanonicalPath::read(request.target()) {
        Ok(path) => path,
        Err(ambiguity) => return refuse(Rejection::Path(ambiguity)),
    };
    let rule = policy.rules.find(&path, request.method());
    let pass = |identity| Decision::Pass { identity, forward_cookies: rule.forward_cookies };
    if request.is_preflight() {
        return pass(None);
    }
    let cross_site = policy.is_cross_site(request);
    let identity = identify(policy, keys, request, now);
    match (&rule.access, identity) {
        (Access::Public, identity) if !cross_site => pass(identity.ok()),
        // Another site's page may do here what anybody may, and nothing in the user's name.
        (Access::Public, _) if rule.forward_cookies && policy.cookies.are_in(request) => {
            refuse(Rejection::CrossSite)
        }
        (Access::Public, _) => pass(None),
        (_, Err(rejection)) => turn_away(policy, request, rejection),
        (_, Ok(_)) if cross_site => refuse(Rejection::CrossSite),
        (access, Ok(identity)) if access.admits(identity.role()) => pass(Some(identity)),
        (_, Ok(identity)) => {
            Decision::Refuse { rejection: Rejection::RoleInsufficient, identity: Some(identity) }
        }
    }
}

const fn refuse(rejection: Rejection) -> Decision {
    Decision::Refuse { rejection, identity: None }
}

/// Refuses whoever shows no valid token, or shows a browser the way to get one.
fn turn_away(policy: &Policy, request: Request<'_>, rejection: Rejection) -> Decision {
    match &policy.login_url {
        Some(login_url) if rejection.status() == 401 && request.is_navigation() => {
            let location = format!("{login_url}?return_to={}", query_value(request.target()));
            Decision::Redirect { location, rejection }
        }
        _ => refuse(rejection),
    }
}

/// Who is calling, or why that can't be told.
fn identify(policy: &Policy, keys: &KeySet, request: Request<'_>, now: u64) -> Result<Identity, Rejection> {
    if keys.is_empty() {
        return Err(Rejection::KeysUnknown);
    }
    let token = cookie::find(request.all(b"cookie"), &policy.cookies.access)
        .map_err(|cookie::Repeated| Rejection::CookieRepeated)?
        .filter(|token| !token.is_empty())
        .ok_or(Rejection::CookieMissing)?;
    if token.len() > policy.max_token_bytes {
        return Err(Rejection::TokenOversize);
    }
    let verified = Unverified::parse(token)?.verify(keys)?;
    Identity::judge(&verified, &policy.expected, now)
}

impl Policy {
    /// Whether another site's page may have sent a request that changes something.
    fn is_cross_site(&self, request: Request<'_>) -> bool {
        self.origins.as_ref().is_some_and(|origins| origin::is_unsafe(request) && !origins.admit(request))
    }
}

impl Cookies {
    /// Whether a request carries one of ours; repeated ones count.
    fn are_in(&self, request: Request<'_>) -> bool {
        [&self.access, &self.refresh]
            .into_iter()
            .any(|name| cookie::find(request.all(b"cookie"), name) != Ok(None))
    }
}

impl<'a> Request<'a> {
    fn target(&self) -> &'a [u8] {
        self.first(b":path").unwrap_or_default()
    }

    /// Whom the request was sent to: a host, and a port where it is not the usual one.
    pub(crate) fn authority(&self) -> &'a [u8] {
        self.first(b":authority").unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &'a [u8] {
        self.first(b":method").unwrap_or_default()
    }

    fn first(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(this, _)| *this == name).map(|(_, value)| *value)
    }

    /// A CORS preflight (Fetch standard, "CORS-preflight request"): it never carries credentials.
    fn is_preflight(&self) -> bool {
        self.method() == b"OPTIONS"
            && self.first(b"origin").is_some()
            && self.first(b"access-control-request-method").is_some()
    }

    /// A person's browser on its way to a page: it says so (Fetch Metadata), or it is too old to and asks
    /// for HTML.
    fn is_navigation(&self) -> bool {
        match self.first(b"sec-fetch-mode") {
            Some(mode) => mode == b"navigate",
            None => {
                self.method() == b"GET"
                    && self.all(b"accept").any(|accept| {
                        accept
                            .split(|&byte| matches!(byte, b',' | b';'))
                            .any(|part| part.trim_ascii() == b"text/html")
                    })
            }
        }
    }
}

/// A target percent-encoded as one value of a query: all but the unreserved characters (RFC 3986 §2.3)
/// and `/`, which needs no escape there (§3.4) and reads better without.
fn query_value(target: &[u8]) -> String {
    use std::fmt::Write as _;
    target.iter().fold(String::with_capacity(target.len()), |mut value, &byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            value.push(char::from(byte));
        } else {
            let _ = write!(value, "%{byte:02X}");
        }
        value
    })
}

impl IdentityHeaders {
    /// Whether an upstream could take a header of this name for one of ours: many frameworks make no
    /// difference between cases, nor between `_` and `-`.
    #[must_use]
    pub fn are_meant_by(&self, name: &[u8]) -> bool {
        let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
        let same =
            |ours: &str| ours.len() == name.len() && ours.bytes().zip(name).all(|(a, &b)| fold(a) == fold(b));
        [&self.user_id, &self.role, &self.session_id].into_iter().any(|ours| same(ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Pattern, Rule};

    fn policy() -> Policy {
        let public = Rule {
            pattern: Pattern::prefix("/public/"),
            methods: None,
            access: Access::Public,
            forward_cookies: true,
        };
        Policy {
            expected: Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 5 },
            cookies: Cookies { access: "access_token".into(), refresh: "refresh_token".into() },
            headers: IdentityHeaders {
                user_id: "x-user-id".into(),
                role: "x-user-role".into(),
                session_id: "x-session-id".into(),
            },
            rules: Rules::new(vec![public]),
            origins: Some(Origins::default()),
            login_url: Some("/login".into()),
            max_token_bytes: 64,
        }
    }

    /// Decides on a request without a usable token, given its headers as lines.
    fn decide_on(lines: &[&str], keys: &KeySet) -> Decision {
        let headers: Vec<(&[u8], &[u8])> = lines
            .iter()
            .filter_map(|line| line.split_once("= "))
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        decide(&policy(), keys, Request { headers: &headers }, 1_800_000_000)
    }

    fn one_key() -> KeySet {
        let jwk = edgeward_wire::Jwk {
            kty: "RSA".into(),
            n: Some(format!("{}w", "_".repeat(341))),
            e: Some("AQAB".into()),
            ..Default::default()
        };
        KeySet::read(&edgeward_wire::JwkSet { keys: vec![jwk] }).unwrap()
    }

    fn check(lines: &[&str], expected: &Decision) {
        assert_eq!(decide_on(lines, &one_key()), *expected, "{lines:?}");
    }

    fn redirect(location: &str) -> Decision {
        Decision::Redirect { location: location.into(), rejection: Rejection::CookieMissing }
    }

    #[test]
    fn a_public_path_needs_no_token_but_one_clear_path() {
        let pass = Decision::Pass { identity: None, forward_cookies: true };
        check(&[":method= GET", ":path= /public/x"], &pass);
        check(&[":method= GET", ":path= /public/x", "cookie= access_token=bad"], &pass);
        check(
            &[":method= GET", ":path= /public/../x"],
            &refuse(Rejection::Path(crate::path::Ambiguity::DotSegment)),
        );
        check(&[], &refuse(Rejection::Path(crate::path::Ambiguity::NotAbsolute)));
    }

    #[test]
    fn a_protected_path_is_refused_for_what_the_cookie_lacks() {
        for (cookie, expected) in [
            ("a=1", Rejection::CookieMissing),
            ("access_token=", Rejection::CookieMissing),
            ("access_token=1; access_token=2", Rejection::CookieRepeated),
            ("access_token=1", Rejection::TokenMalformed),
            (&*format!("access_token={}", "x".repeat(64)), Rejection::TokenMalformed),
            (&*format!("access_token={}", "x".repeat(65)), Rejection::TokenOversize),
        ] {
            check(&[":method= GET", ":path= /x", &format!("cookie= {cookie}")], &refuse(expected));
        }
    }

    #[test]
    fn without_a_key_protected_paths_wait_and_public_ones_pass() {
        let keys = KeySet::default();
        assert_eq!(decide_on(&[":method= GET", ":path= /x"], &keys), refuse(Rejection::KeysUnknown));
        assert_eq!(
            decide_on(&[":method= GET", ":path= /x", "sec-fetch-mode= navigate"], &keys),
            refuse(Rejection::KeysUnknown)
        );
        assert!(matches!(decide_on(&[":method= GET", ":path= /public/"], &keys), Decision::Pass { .. }));
    }

    #[test]
    fn another_site_s_page_does_nothing_in_the_user_s_name() {
        const CROSS: &str = "origin= https://evil.example";
        let anonymous = Decision::Pass { identity: None, forward_cookies: true };
        let public = [":method= POST", ":path= /public/x", CROSS];
        check(&public, &anonymous);
        check(&[&public[..], &["cookie= a=1"]].concat(), &anonymous);
        for cookie in [
            "cookie= access_token=x",
            "cookie= refresh_token=x",
            "cookie= a=1; refresh_token=x; refresh_token=y",
        ] {
            check(&[&public[..], &[cookie]].concat(), &refuse(Rejection::CrossSite));
            check(&[":method= GET", ":path= /public/x", CROSS, cookie], &anonymous);
        }
        check(&[":method= POST", ":path= /x", CROSS], &refuse(Rejection::CookieMissing));
    }

    #[test]
    fn a_preflight_passes_and_other_options_requests_do_not() {
        let preflight =
            [":method= OPTIONS", ":path= /x", "origin= http://o", "access-control-request-method= PUT"];
        check(&preflight, &Decision::Pass { identity: None, forward_cookies: false });
        check(&preflight[..3], &refuse(Rejection::CookieMissing));
        check(&[":method= GET", preflight[1], preflight[2], preflight[3]], &refuse(Rejection::CookieMissing));
    }

    #[test]
    fn a_browser_on_its_way_to_a_page_is_sent_to_log_in_and_back() {
        let to_x = redirect("/login?return_to=/x");
        check(&[":method= GET", ":path= /x", "sec-fetch-mode= navigate"], &to_x);
        check(&[":method= POST", ":path= /x", "sec-fetch-mode= navigate"], &to_x);
        check(&[":method= GET", ":path= /x", "accept= text/html,application/xml;q=0.9"], &to_x);
        check(&[":method= GET", ":path= /x", "accept= application/xml, text/html;q=0.9"], &to_x);
        check(
            &[":method= GET", ":path= /a%20b?c=d&e=//f#g", "sec-fetch-mode= navigate"],
            &redirect("/login?return_to=/a%2520b%3Fc%3Dd%26e%3D//f%23g"),
        );
        for script in [
            &["sec-fetch-mode= cors", "accept= text/html"][..],
            &["accept= */*"],
            &["accept= text/html-x"],
            &[],
        ] {
            let lines = [&[":method= GET", ":path= /x"], script].concat();
            check(&lines, &refuse(Rejection::CookieMissing));
        }
        check(&[":method= POST", ":path= /x", "accept= text/html"], &refuse(Rejection::CookieMissing));
    }

    #[test]
    fn headers_that_could_pass_for_ours_are_recognised() {
        let headers = policy().headers;
        for name in ["x-user-id", "X-User-Id", "x_user_id", "x-user_id", "X_USER_ROLE", "x-session_id"] {
            assert!(headers.are_meant_by(name.as_bytes()), "{name}");
        }
        for name in ["x-user-id2", "x-user", "xuserid", "user-id", "x.user.id", ""] {
            assert!(!headers.are_meant_by(name.as_bytes()), "{name}");
        }
    }
}
