//! Rules that demand a recent authentication or another factor: decisions on whole tokens, new and cached, and on requests
//! that were held.

#![expect(clippy::unwrap_used, reason = "a test reports a failure by a panic")]

use std::sync::Arc;

use edgeward_filter::config;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::gate::Gate;
use edgeward_filter::policy::Policy;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::request::Request;
use edgeward_filter::rs256::{self, SoftwareRsa};
use edgeward_filter::token_cache::TokenCache;
use edgeward_filter::verdict::{Outcome, Renewed, Verdict};
use edgeward_kit::mint::{self, Key};
use serde_json::json;

const NOW: u64 = 1_800_000_000;
const PAGE: &str = "navigate";
const SCRIPT: &str = "cors";

struct Edge {
    key: Key,
    policy: Policy,
    state: EdgeState,
}

fn edge() -> Edge {
    rs256::install::<SoftwareRsa>();
    let key = Key::generate("a");
    let text = json!({"issuer": mint::NAME, "keys": {"inline": mint::jwks(&[&key])},
        "feed": {"cluster": "c"}, "refresh": {"cluster": "c"}, "login_url": "/login", "rules": [
            {"prefix": "/billing/", "max_auth_age_seconds": 300, "require": ["mfa"]},
            {"prefix": "/recent/", "max_auth_age_seconds": 300},
            {"prefix": "/admin/", "roles": ["admin"], "require": ["pwd", "mfa"]},
    ]});
    let configuration = config::compile(text.to_string().as_bytes()).unwrap();
    Edge { key, policy: configuration.policy, state: EdgeState::new(configuration.keys, NOW) }
}

impl Edge {
    /// Makes a token of a user who has authenticated so many seconds ago by these methods, as JSON.
    fn token(&self, seconds_ago: u64, amr: &str) -> String {
        self.signed(&format!("{},\"amr\":{amr}", NOW - seconds_ago))
    }

    fn signed(&self, auth_time: &str) -> String {
        self.key.token(&self.key.header(), &mint::payload_with(NOW, "auth_time", auth_time))
    }

    /// Decides on a new token, and then on the same one from the cache.
    fn decide(&self, path: &str, mode: &str, token: &str) -> String {
        let cache = TokenCache::new(8, 1, [7; 16]);
        let decide = || {
            let gate = Gate { policy: &self.policy, state: &self.state, cache: &cache, now: NOW };
            let cookie = format!("access_token={token}; refresh_token=r");
            gate.decide(&request(path, mode, &cookie))
        };
        let (first, again) = (decide(), decide());
        assert_eq!(first, again, "a cached token is judged as before");
        render(&first)
    }

    /// Decides on a request that was held for want of a token, once the companion has given this one.
    fn resume(&self, path: &str, mode: &str, access_token: &str) -> String {
        let cache = TokenCache::new(8, 1, [7; 16]);
        let gate = Gate { policy: &self.policy, state: &self.state, cache: &cache, now: NOW };
        let renewed = Renewed { access_token: access_token.to_owned(), set_cookies: Vec::new() };
        let outcome = Outcome::Renewed(Arc::new(renewed));
        render(&gate.resume(&request(path, mode, "refresh_token=r"), Rejection::CookieMissing, &outcome))
    }
}

fn request<'a>(path: &'a str, mode: &'a str, cookie: &'a str) -> Request<'a> {
    let fields = [(":method", "GET"), (":path", path), ("sec-fetch-mode", mode), ("cookie", cookie)];
    Request::new(fields.map(|(name, value)| (name.as_bytes(), value.as_bytes())), true)
}

/// Renders a verdict: `pass`, `hold`, or status and label, with the challenge or the way that a redirect goes.
fn render<H>(verdict: &Verdict<H>) -> String {
    match verdict {
        Verdict::Pass(_) => "pass".to_owned(),
        Verdict::Hold(_) => "hold".to_owned(),
        Verdict::Reply(reply) => {
            assert!(!reply.poll_early && reply.identity.is_some(), "{reply:?}");
            let header = |wanted: &str| reply.headers.iter().find(|(name, _)| *name == wanted);
            let told = header("location").or(header("www-authenticate"));
            let told = told.map(|(_, value)| format!(" {value}")).unwrap_or_default();
            format!("{} {}{told}", reply.status, reply.label)
        }
    }
}

#[test]
fn fresh_proof_of_every_method_passes_the_rule() {
    let edge = edge();
    let fresh = edge.token(0, r#"["pwd","otp","mfa"]"#);
    let oldest = edge.token(300, r#"["pop","mfa"]"#);
    for token in [&fresh, &oldest] {
        for path in ["/billing/x", "/recent/", "/orders"] {
            assert_eq!(edge.decide(path, SCRIPT, token), "pass", "{path}");
            assert_eq!(edge.resume(path, SCRIPT, token), "pass", "{path}");
        }
    }
    assert_eq!(edge.decide("/recent/", SCRIPT, &edge.token(0, r#"["pwd"]"#)), "pass");
}

#[test]
fn call_is_challenged_with_what_the_rule_demands() {
    let edge = edge();
    let both = r#"Bearer error="insufficient_user_authentication", max_age="300", acr_values="mfa""#;
    let recent = r#"Bearer error="insufficient_user_authentication", max_age="300""#;
    let mfa = r#"["pwd","otp","mfa"]"#;
    for (path, token, expected) in [
        ("/billing/x", edge.token(301, mfa), format!("401 authentication_outdated {both}")),
        ("/billing/x", edge.token(0, r#"["pwd"]"#), format!("401 authentication_insufficient {both}")),
        ("/recent/x", edge.token(301, mfa), format!("401 authentication_outdated {recent}")),
        ("/recent/x", edge.key.good(NOW), format!("401 authentication_outdated {recent}")),
        ("/admin/x", edge.token(301, mfa), "403 role_insufficient".to_owned()),
    ] {
        assert_eq!(edge.decide(path, SCRIPT, &token), expected, "{path}");
        assert_eq!(edge.resume(path, SCRIPT, &token), expected, "{path}");
    }
}

#[test]
fn navigation_goes_to_the_login_page_with_what_the_rule_demands() {
    let edge = edge();
    let old = edge.token(301, r#"["pwd"]"#);
    for (path, expected) in [
        ("/billing/a?b=c", "/login?return_to=/billing/a%3Fb%3Dc&max_age=300&acr_values=mfa"),
        ("/recent/", "/login?return_to=/recent/&max_age=300"),
    ] {
        let label = if path.starts_with("/billing") { "insufficient" } else { "outdated" };
        let expected = format!("302 authentication_{label} {expected}");
        assert_eq!(edge.decide(path, PAGE, &old), expected);
        assert_eq!(edge.resume(path, PAGE, &old), expected);
    }
    let long = format!("/recent/{}", "x".repeat(2048));
    assert_eq!(edge.decide(&long, PAGE, &old), "302 authentication_outdated /login?max_age=300");
}

#[test]
fn several_methods_are_demanded_together() {
    let edge = edge();
    let payload = mint::payload_with(NOW, "role", r#""admin","amr":["pop","mfa"]"#);
    let token = edge.key.token(&edge.key.header(), &payload);
    let challenge = r#"Bearer error="insufficient_user_authentication", acr_values="pwd mfa""#;
    assert_eq!(
        edge.decide("/admin/", SCRIPT, &token),
        format!("401 authentication_insufficient {challenge}")
    );
    let expected = "302 authentication_insufficient /login?return_to=/admin/&acr_values=pwd%20mfa";
    assert_eq!(edge.decide("/admin/", PAGE, &token), expected);
}

#[test]
fn old_authentication_is_never_a_reason_to_refresh() {
    let edge = edge();
    for rejection in [
        Rejection::AuthenticationOutdated { authenticated_at: None, max_age_s: 300, now: NOW },
        Rejection::AuthenticationInsufficient { method: "mfa" },
    ] {
        assert!(!rejection.calls_for_refresh() && rejection.calls_for_proof());
    }
    // There is a refresh token, and the request is not held: the companion would give a token of the same authentication.
    assert!(edge.decide("/recent/", SCRIPT, &edge.token(301, "[]")).starts_with("401"));
}
