//! Decisions on whole tokens, with signatures that are checked in Rust: every good token is an identity, and every bad
//! one is rejected for its own reason.

#![expect(clippy::unwrap_used, reason = "a test reports a failure by a panic")]

use edgeward_filter::claims::Identity;
use edgeward_filter::config;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::gate::Gate;
use edgeward_filter::policy::Policy;
use edgeward_filter::request::Request;
use edgeward_filter::rs256::{self, SoftwareRsa};
use edgeward_filter::token_cache::TokenCache;
use edgeward_filter::verdict::Verdict;
use edgeward_kit::mint::{self, Key};
use serde_json::json;

const NOW: u64 = 1_800_000_000;

fn edge(keys: &[&Key]) -> (Policy, EdgeState) {
    rs256::install::<SoftwareRsa>();
    let text = json!({"issuer": mint::NAME, "keys": {"inline": mint::jwks(keys)}, "rules": [
        {"prefix": "/admin/", "roles": ["admin", "owner"]},
    ]});
    let configuration = config::compile(text.to_string().as_bytes()).unwrap();
    (configuration.policy, EdgeState::new(configuration.keys, NOW))
}

fn decide(edge: &(Policy, EdgeState), path: &str, token: &str) -> Verdict {
    decide_at(edge, path, token, "same-origin", NOW)
}

/// Decides on a GET from a page of this site, or on a POST if the path is `/post`.
fn decide_at(edge: &(Policy, EdgeState), path: &str, token: &str, site: &str, now: u64) -> Verdict {
    let (policy, edge_state) = edge;
    let cookie = format!("access_token={token}");
    let headers: [(&[u8], &[u8]); 4] = [
        (b":method", if path == "/post" { b"POST" } else { b"GET" }),
        (b":path", path.as_bytes()),
        (b"cookie", cookie.as_bytes()),
        (b"sec-fetch-site", site.as_bytes()),
    ];
    let request = Request::new(headers, true);
    let cache = &TokenCache::new(8, 1, [7; 16]);
    let decide = || Gate { policy, state: edge_state, cache, now }.decide(&request);
    let (first, again) = (decide(), decide());
    assert_eq!(first, again, "a cached token is judged as before");
    first
}

fn identity(verdict: Verdict) -> Option<Identity> {
    match verdict {
        Verdict::Pass(pass) => pass.identity,
        _ => None,
    }
}

#[test]
fn every_good_token_is_an_identity() {
    let (key, other) = (Key::generate("a"), Key::generate("b"));
    let edge = edge(&[&key, &other]);
    for (name, payload) in mint::good_payloads(NOW) {
        for key in [&key, &other] {
            let token = key.token(&key.header(), &payload);
            assert!(identity(decide(&edge, "/x", &token)).is_some(), "{name}");
        }
    }
    let user = identity(decide(&edge, "/x", &key.good(NOW))).unwrap();
    assert_eq!((user.user_id(), user.role(), user.session_id()), (42, "customer", 7));
    let quoted = format!("\"{}\"", key.good(NOW));
    assert_eq!(identity(decide(&edge, "/x", &quoted)), Some(user), "RFC 6265 §4.1.1 allows the quotes");
}

// holds: invariant 2, promise 1
#[test]
fn every_bad_token_is_rejected_for_its_own_reason() {
    let (key, other, stranger) = (Key::generate("a"), Key::generate("b"), Key::generate("a"));
    let edge = edge(&[&key, &other]);
    for bad in mint::bad_tokens(&key, &stranger, NOW) {
        match decide(&edge, "/x", &bad.token) {
            Verdict::Reply(reply) if reply.identity.is_none() => {
                assert_eq!(reply.label, bad.label, "{}", bad.name);
            }
            other => panic!("{}: {other:?}", bad.name),
        }
    }
}

#[test]
fn token_without_kid_is_verified_with_a_set_of_one_key_only() {
    let (key, other) = (Key::generate("a"), Key::generate("b"));
    let token = key.token(r#"{"alg":"RS256","typ":"at+jwt"}"#, &mint::payload(NOW));
    assert!(identity(decide(&edge(&[&key]), "/x", &token)).is_some());
    assert!(identity(decide(&edge(&[&other]), "/x", &token)).is_none());
    assert!(identity(decide(&edge(&[&key, &other]), "/x", &token)).is_none());
}

#[test]
fn role_passes_the_rules_that_list_it() {
    let key = Key::generate("a");
    let edge = edge(&[&key]);
    for (role, expected) in
        [("admin", true), ("owner", true), ("customer", false), ("admins", false), ("adm", false)]
    {
        let token = key.good_with(NOW, "role", &json!(role).to_string());
        assert_eq!(identity(decide(&edge, "/admin/x", &token)).is_some(), expected, "{role}");
        assert!(identity(decide(&edge, "/x", &token)).is_some());
    }
}

#[test]
fn valid_token_from_a_page_of_another_site_changes_nothing() {
    let key = Key::generate("a");
    let edge = edge(&[&key]);
    let token = key.good(NOW);
    for (path, site, expected) in
        [("/post", "cross-site", false), ("/post", "same-origin", true), ("/get", "cross-site", true)]
    {
        assert_eq!(identity(decide_at(&edge, path, &token, site, NOW)).is_some(), expected, "{path} {site}");
    }
}

#[test]
fn stale_feed_rejects_valid_tokens() {
    let key = Key::generate("a");
    let (policy, edge_state) = edge(&[&key]);
    let edge = (Policy { max_staleness_s: Some(10), ..policy }, edge_state);
    for (later, expected) in [(0, true), (10, true), (11, false)] {
        let verdict = decide_at(&edge, "/x", &key.good(NOW), "none", NOW + later);
        assert_eq!(identity(verdict).is_some(), expected, "{later} s");
    }
}
