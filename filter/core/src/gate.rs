//! The policy's course: what happens to a request, decided from its head, what is known and the time, and
//! nothing else (invariants 5 and 6). It changes nothing but the cache, which only saves the same work; carrying
//! the decision out is the shell's.

use edgeward_wire::return_to;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::claims::Identity;
use crate::cookie;
use crate::edge_state::EdgeState;
use crate::path::CanonicalPath;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::{Name, Request};
use crate::rules::Access;
use crate::token::Unverified;
use crate::token_cache::TokenCache;

/// All but the unreserved characters (RFC 3986 §2.3), and `/`, which needs no escape in a query (§3.4).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

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
    /// It waits while the companion is asked for a new access token, and is decided again with that; or by
    /// [`login_redirect_or_rejection`] where there is none.
    Refresh {
        /// The refresh token.
        token: Vec<u8>,
        /// Why it may not pass as it is.
        rejection: Rejection,
    },
    /// It asks whether the filter can let anybody in; where it cannot, for this reason.
    Readiness(Result<(), Rejection>),
    /// It is answered with the rejection's status.
    Refuse {
        /// Why.
        rejection: Rejection,
        /// Who was refused, where that is known.
        identity: Option<Identity>,
    },
}

impl Decision {
    /// Why the request may not pass as it is.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Pass { .. } | Self::Readiness(_) => None,
            Self::Redirect { rejection, .. }
            | Self::Refresh { rejection, .. }
            | Self::Refuse { rejection, .. } => Some(*rejection),
        }
    }
}

/// Decides on a request at `now`, in seconds since 1970.
#[must_use]
pub fn decide(
    policy: &Policy,
    edge_state: &EdgeState,
    cache: &mut TokenCache,
    request: &Request<'_>,
    now: u64,
) -> Decision {
    let path = match read_path(request) {
        Ok(path) => path,
        Err(rejection) => return refuse(rejection),
    };
    if policy.ready_path.as_ref().is_some_and(|ready| ready.as_bytes() == path.as_bytes()) {
        return Decision::Readiness(check_known(policy, edge_state, now));
    }
    let rule = match policy.rules.find(&path, request.method()) {
        Ok(rule) => rule,
        Err(ambiguity) => return refuse(Rejection::Path(ambiguity)),
    };
    if request.is_preflight() {
        return Decision::Pass { identity: None, forward_cookies: false };
    }
    let pass = |identity| Decision::Pass { identity, forward_cookies: rule.forward_cookies };
    let cross_site = policy.is_cross_site(request);
    let identity =
        identify(policy, edge_state, cache, request, now).map_err(|rejection| match request.renewed {
            Some(_) => of_renewed(rejection),
            None => rejection,
        });
    match (&rule.access, identity) {
        (Access::Public, identity) if !cross_site => pass(identity.ok()),
        // Another site's page may do here what anybody may, and nothing in the user's name.
        (Access::Public, _) if rule.forward_cookies && policy.cookies.present_in(request) => {
            refuse(Rejection::CrossSite)
        }
        (Access::Public, _) => pass(None),
        (_, Err(rejection)) if cross_site => login_redirect_or_rejection(policy, request, rejection),
        (_, Err(rejection)) => match find_refresh(policy, request, rejection) {
            Some(token) => Decision::Refresh { token: token.to_owned(), rejection },
            None => login_redirect_or_rejection(policy, request, rejection),
        },
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

/// The rejection of a request whose token, which the companion has just made, was rejected with this: the token is good,
/// and either the clocks are apart or the edge has yet to hear of something.
#[cold]
const fn of_renewed(rejection: Rejection) -> Rejection {
    match rejection {
        Rejection::SessionEnded { .. } => rejection,
        Rejection::Expired { .. }
        | Rejection::ExpiryTooFar { .. }
        | Rejection::IssuedInFuture { .. }
        | Rejection::NotYetValid { .. } => Rejection::ClocksApart,
        _ if rejection.status() == 503 => rejection,
        _ => Rejection::RefreshUnavailable,
    }
}

/// The path of a request that can be read in one way only.
fn read_path<'a>(request: &Request<'a>) -> Result<CanonicalPath<'a>, Rejection> {
    let method = request.method();
    if method.iter().any(u8::is_ascii_lowercase) {
        return Err(Rejection::MethodMalformed);
    }
    // A tunnel is opened by GET (RFC 6455 §4.1); Envoy would open one for any other method too.
    if request.is_upgrade() && method != b"GET" {
        return Err(Rejection::UpgradeUnexpected);
    }
    CanonicalPath::read(request.target()).map_err(Rejection::Path)
}

/// Refuses to let anybody in while too little is known of keys and revocations.
fn check_known(policy: &Policy, edge_state: &EdgeState, now: u64) -> Result<(), Rejection> {
    if edge_state.keys().is_empty() {
        return Err(Rejection::KeysUnknown);
    }
    let age_s = edge_state.age_s(now);
    if let Some(max_age_s) = policy.max_staleness_s.filter(|most| age_s > *most) {
        return Err(Rejection::FeedStale { age_s, max_age_s });
    }
    if edge_state.is_syncing() {
        return Err(Rejection::RevocationsUnknown);
    }
    Ok(())
}

/// The refresh token of a request that a new access token would help, once.
#[cold]
fn find_refresh<'a>(policy: &Policy, request: &Request<'a>, rejection: Rejection) -> Option<&'a [u8]> {
    if !policy.refresh_enabled || request.renewed.is_some() || !rejection.calls_for_refresh() {
        return None;
    }
    let token = cookie::find(request.all(Name::Cookie), &policy.cookies.refresh).ok()??;
    (1..=policy.max_token_bytes).contains(&token.len()).then_some(token)
}

/// Refuses whoever shows no valid token, or shows a browser the way to get one.
#[cold]
#[must_use]
pub fn login_redirect_or_rejection(policy: &Policy, request: &Request<'_>, rejection: Rejection) -> Decision {
    let may_log_in = rejection.status() == 401 || rejection == Rejection::RefreshUnavailable;
    match &policy.login_url {
        Some(login_url) if may_log_in && request.is_navigation() => {
            Decision::Redirect { location: location(login_url, request.target()), rejection }
        }
        _ => refuse(rejection),
    }
}

/// Returns the login page's URL, with `target` as `return_to` if it has at most [`return_to::MAX_BYTES`].
fn location(login_url: &str, target: &[u8]) -> String {
    if target.len() > return_to::MAX_BYTES {
        return login_url.to_owned();
    }
    format!("{login_url}?{}={}", return_to::PARAMETER, percent_encode(target, ESCAPED))
}

/// Who is calling, or why that can't be told.
fn identify(
    policy: &Policy,
    edge_state: &EdgeState,
    cache: &mut TokenCache,
    request: &Request<'_>,
    now: u64,
) -> Result<Identity, Rejection> {
    check_known(policy, edge_state, now)?;
    let token = match request.renewed {
        Some(token) => token,
        None => cookie::find(request.all(Name::Cookie), &policy.cookies.access)
            .map_err(|cookie::Repeated| Rejection::CookieRepeated)?
            .filter(|token| !token.is_empty())
            .ok_or(Rejection::CookieMissing)?,
    };
    if token.len() > policy.max_token_bytes {
        return Err(Rejection::TokenOversize { bytes: token.len(), max_bytes: policy.max_token_bytes });
    }
    let fingerprint = cache.fingerprint(token, edge_state.generation());
    let identity = match cache.get(fingerprint) {
        Some(identity) if identity.has_expired(&policy.expected, now) => {
            return Err(Rejection::Expired { expired_at: identity.expires_at(), now });
        }
        Some(identity) => identity.clone(),
        None => cache.insert(fingerprint, verify(policy, edge_state, token, now)?),
    };
    edge_state.revocations().judge(&identity)?;
    Ok(identity)
}

/// Who a token speaks for that is not remembered. Far from what every request goes through, which is short so.
#[inline(never)]
fn verify(policy: &Policy, edge_state: &EdgeState, token: &[u8], now: u64) -> Result<Identity, Rejection> {
    Identity::judge(&Unverified::parse(token)?.verify(edge_state.keys())?, &policy.expected, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Expected;
    use crate::headers::{self, Header, Headers};
    use crate::keys::KeySet;
    use crate::origin::Origins;
    use crate::policy::{Cookies, IdentityHeaders};
    use crate::rules::{Pattern, Rule, Rules, Streams};

    const NOW: u64 = 1_800_000_000;

    fn policy() -> Policy {
        let public = Rule {
            pattern: Pattern::prefix("/public/"),
            methods: None,
            access: Access::Public,
            forward_cookies: true,
            streams: Streams::Outlive,
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
            origins: Origins::default(),
            cross_site_denied: true,
            login_url: Some("/login".into()),
            ready_path: Some("/readyz".into()),
            max_staleness_s: None,
            refresh_enabled: false,
            max_token_bytes: 64,
        }
    }

    /// Decides on a request without a usable token, given its headers as lines.
    fn decide_on(lines: &[&str], keys: KeySet) -> Decision {
        let headers: Vec<Header<'_>> = lines
            .iter()
            .filter_map(|line| line.split_once("= "))
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let headers = headers::write(&headers);
        let request = Request::new(Headers::read(&headers).unwrap(), true);
        decide(&policy(), &EdgeState::new(keys, NOW), &mut TokenCache::new(8, [7; 16]), &request, NOW)
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
        assert_eq!(decide_on(lines, one_key()), *expected, "{lines:?}");
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
    fn methods_and_upgrades_that_servers_read_differently_are_refused() {
        let public = ":path= /public/x";
        check(&[":method= get", public], &refuse(Rejection::MethodMalformed));
        for method in [":method= POST", ":method= OPTIONS", ":method= HEAD"] {
            check(&[method, public, "upgrade= websocket"], &refuse(Rejection::UpgradeUnexpected));
        }
        let pass = Decision::Pass { identity: None, forward_cookies: true };
        check(&[":method= GET", public, "upgrade= websocket"], &pass);
        check(&[":method= PROPFIND", public], &pass);
    }

    #[test]
    fn a_protected_path_is_refused_for_what_the_cookie_lacks() {
        for (cookie, expected) in [
            ("a=1", Rejection::CookieMissing),
            ("access_token=", Rejection::CookieMissing),
            ("access_token=1; access_token=2", Rejection::CookieRepeated),
            ("access_token=1", Rejection::TokenMalformed),
            (&*format!("access_token={}", "x".repeat(64)), Rejection::TokenMalformed),
            (
                &*format!("access_token={}", "x".repeat(65)),
                Rejection::TokenOversize { bytes: 65, max_bytes: 64 },
            ),
        ] {
            check(&[":method= GET", ":path= /x", &format!("cookie= {cookie}")], &refuse(expected));
        }
    }

    #[test]
    fn without_a_key_protected_paths_wait_and_public_ones_pass() {
        assert_eq!(
            decide_on(&[":method= GET", ":path= /x"], KeySet::default()),
            refuse(Rejection::KeysUnknown)
        );
        assert_eq!(
            decide_on(&[":method= GET", ":path= /x", "sec-fetch-mode= navigate"], KeySet::default()),
            refuse(Rejection::KeysUnknown)
        );
        assert!(matches!(
            decide_on(&[":method= GET", ":path= /public/"], KeySet::default()),
            Decision::Pass { .. }
        ));
    }

    #[test]
    fn the_ready_path_says_whether_anybody_can_be_let_in() {
        let ask = |lines: &[&str], keys| decide_on(lines, keys);
        let (ready, unready) =
            (Decision::Readiness(Ok(())), Decision::Readiness(Err(Rejection::KeysUnknown)));
        for method in [":method= GET", ":method= HEAD"] {
            assert_eq!(ask(&[method, ":path= /readyz"], one_key()), ready);
            assert_eq!(ask(&[method, ":path= /readyz?x", "cookie= access_token=x"], one_key()), ready);
            assert_eq!(ask(&[method, ":path= /readyz"], KeySet::default()), unready);
        }
        for path in [":path= /readyz/", ":path= /Readyz", ":path= /readyz/x"] {
            assert_eq!(ask(&[":method= GET", path], one_key()), refuse(Rejection::CookieMissing));
        }
    }

    #[test]
    fn a_new_token_that_is_out_of_its_time_names_the_clocks() {
        for (rejection, expected) in [
            (Rejection::IssuedInFuture { issued_at: NOW + 61, now: NOW }, Rejection::ClocksApart),
            (Rejection::Expired { expired_at: NOW, now: NOW + 5 }, Rejection::ClocksApart),
            (Rejection::SessionEnded { session_id: 7 }, Rejection::SessionEnded { session_id: 7 }),
            (Rejection::KeyUnknown, Rejection::RefreshUnavailable),
            (Rejection::TokenOutdated { issued_at: NOW, not_before: NOW + 1 }, Rejection::RefreshUnavailable),
            (
                Rejection::FeedStale { age_s: 11, max_age_s: 10 },
                Rejection::FeedStale { age_s: 11, max_age_s: 10 },
            ),
        ] {
            assert_eq!(of_renewed(rejection), expected, "{rejection:?}");
        }
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
        let longest = format!("/x?{}", "a".repeat(2045));
        let sent = format!("/login?return_to=/x%3F{}", "a".repeat(2045));
        check(&[":method= GET", &format!(":path= {longest}"), "sec-fetch-mode= navigate"], &redirect(&sent));
        let long = format!(":path= {longest}a");
        check(&[":method= GET", &long, "sec-fetch-mode= navigate"], &redirect("/login"));
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
}
