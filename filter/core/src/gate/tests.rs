//! Verdicts on requests that are given as lines. Whole tokens are in `filter/core/tests/tokens.rs`.

use super::*;
use crate::claims::Expected;
use crate::keys::KeySet;
use crate::origin::Origins;
use crate::policy::{Cookies, IdentityHeaders};
use crate::rules::{Pattern, Rule, Rules, StepUp};

const NOW: u64 = 1_800_000_000;

fn policy() -> Policy {
    let public = Rule {
        pattern: Pattern::prefix("/public/"),
        methods: None,
        access: Access::Public,
        step_up: StepUp::NONE,
        forward_cookies: true,
        streams: Streams::Outlive,
    };
    Policy {
        expected: Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 5 },
        cookies: Cookies { access: "access_token".into(), refresh: "refresh_token".into() },
        headers: IdentityHeaders::new(
            ["x-user-id", "x-user-role", "x-session-id"].map(str::to_owned),
            None,
            None,
        ),
        rules: Rules::new(vec![public]),
        origins: Origins::default(),
        cross_site_denied: true,
        login_url: Some("/login".into()),
        ready_path: Some("/readyz".into()),
        max_staleness_s: None,
        refresh_enabled: false,
        attempt_paths: vec!["/public/login".into()],
        max_token_bytes: 64,
    }
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

fn request<'a>(lines: &[&'a str]) -> Request<'a> {
    let fields = lines.iter().filter_map(|line| line.split_once("= "));
    Request::new(fields.map(|(name, value)| (name.as_bytes(), value.as_bytes())), true)
}

/// Renders a verdict: `pass`, `pass with cookies`, `hold`, or status and label, and where a redirect goes.
fn render<H>(verdict: &Verdict<H>) -> String {
    match verdict {
        Verdict::Pass(Pass { identity: None, our_cookies: OurCookies::Removed, .. }) => "pass".into(),
        Verdict::Pass(Pass { identity: None, our_cookies: OurCookies::Kept, .. }) => {
            "pass with cookies".into()
        }
        Verdict::Pass(pass) => format!("{pass:?}"),
        Verdict::Hold(_) => "hold".into(),
        Verdict::Reply(reply) => {
            let location = reply.headers.iter().find(|(name, _)| *name == "location");
            let location = location.map(|(_, value)| format!(" {value}")).unwrap_or_default();
            format!("{} {}{location}", reply.status, reply.label)
        }
    }
}

fn decide(policy: &Policy, lines: &[&str], keys: KeySet) -> Verdict {
    let (state, cache) = (EdgeState::new(keys, NOW), TokenCache::new(8, 1, [7; 16]));
    Gate { policy, state: &state, cache: &cache, now: NOW }.decide(&request(lines))
}

fn check(lines: &[&str], expected: &str) {
    assert_eq!(render(&decide(&policy(), lines, one_key())), expected, "{lines:?}");
}

#[test]
fn public_path_needs_no_token_but_one_clear_reading() {
    check(&[":method= GET", ":path= /public/x"], "pass with cookies");
    check(&[":method= GET", ":path= /public/x", "cookie= access_token=bad"], "pass with cookies");
    check(&[":method= GET", ":path= /public/../x"], "400 path_dot_segment");
    check(&[], "400 path_not_absolute");
}

#[test]
fn methods_and_upgrades_that_servers_read_differently_or_echo_are_rejected() {
    let public = ":path= /public/x";
    check(&[":method= get", public], "400 method_malformed");
    check(&[":method= TRACE", public], "400 trace_unexpected");
    for method in [":method= POST", ":method= OPTIONS", ":method= HEAD"] {
        check(&[method, public, "upgrade= websocket"], "400 upgrade_unexpected");
    }
    check(&[":method= GET", public, "upgrade= websocket"], "pass with cookies");
    check(&[":method= PROPFIND", public], "pass with cookies");
}

#[test]
fn protected_path_is_rejected_for_what_the_cookie_lacks() {
    for (cookie, expected) in [
        ("a=1", "401 cookie_missing"),
        ("access_token=", "401 cookie_missing"),
        ("access_token=1; access_token=2", "401 cookie_repeated"),
        ("access_token=1", "401 token_malformed"),
        (&*format!("access_token={}", "x".repeat(64)), "401 token_malformed"),
        (&*format!("access_token={}", "x".repeat(65)), "400 token_oversize"),
    ] {
        check(&[":method= GET", ":path= /x", &format!("cookie= {cookie}")], expected);
    }
}

#[test]
fn without_a_key_protected_paths_wait_and_public_ones_pass() {
    let check = |lines: &[&str], expected: &str| {
        assert_eq!(render(&decide(&policy(), lines, KeySet::default())), expected, "{lines:?}");
    };
    check(&[":method= GET", ":path= /x"], "503 keys_unknown");
    check(&[":method= GET", ":path= /x", "sec-fetch-mode= navigate"], "503 keys_unknown");
    check(&[":method= GET", ":path= /public/"], "pass with cookies");
}

#[test]
fn ready_path_says_whether_anybody_can_be_let_in() {
    let ask = |lines: &[&str], keys| render(&decide(&policy(), lines, keys));
    for method in [":method= GET", ":method= HEAD"] {
        assert_eq!(ask(&[method, ":path= /readyz"], one_key()), "200 ready");
        assert_eq!(ask(&[method, ":path= /readyz?x", "cookie= access_token=x"], one_key()), "200 ready");
        assert_eq!(ask(&[method, ":path= /readyz"], KeySet::default()), "503 keys_unknown");
    }
    for path in [":path= /readyz/", ":path= /Readyz", ":path= /readyz/x"] {
        assert_eq!(ask(&[":method= GET", path], one_key()), "401 cookie_missing");
    }
}

#[test]
fn another_sites_page_does_nothing_in_the_users_name() {
    const CROSS: &str = "origin= https://evil.example";
    let public = [":method= POST", ":path= /public/x", CROSS];
    check(&public, "pass with cookies");
    check(&[&public[..], &["cookie= a=1"]].concat(), "pass with cookies");
    for cookie in
        ["cookie= access_token=x", "cookie= refresh_token=x", "cookie= a=1; refresh_token=x; refresh_token=y"]
    {
        check(&[&public[..], &[cookie]].concat(), "403 cross_site");
        check(&[":method= GET", ":path= /public/x", CROSS, cookie], "pass with cookies");
    }
    check(&[":method= POST", ":path= /x", CROSS], "401 cookie_missing");
}

#[test]
fn preflight_passes_and_other_options_requests_do_not() {
    let preflight =
        [":method= OPTIONS", ":path= /x", "origin= http://o", "access-control-request-method= PUT"];
    check(&preflight, "pass");
    check(&preflight[..3], "401 cookie_missing");
    check(&[":method= GET", preflight[1], preflight[2], preflight[3]], "401 cookie_missing");
}

#[test]
fn navigation_is_redirected_to_the_login_page_and_back() {
    let to_x = "302 cookie_missing /login?return_to=/x";
    check(&[":method= GET", ":path= /x", "sec-fetch-mode= navigate"], to_x);
    check(&[":method= POST", ":path= /x", "sec-fetch-mode= navigate"], to_x);
    check(&[":method= GET", ":path= /x", "accept= text/html,application/xml;q=0.9"], to_x);
    check(&[":method= GET", ":path= /x", "accept= application/xml, text/html;q=0.9"], to_x);
    check(
        &[":method= GET", ":path= /a%20b?c=d&e=//f#g", "sec-fetch-mode= navigate"],
        "302 cookie_missing /login?return_to=/a%2520b%3Fc%3Dd%26e%3D//f%23g",
    );
    let longest = format!("/x?{}", "a".repeat(2045));
    let sent = format!("302 cookie_missing /login?return_to=/x%3F{}", "a".repeat(2045));
    check(&[":method= GET", &format!(":path= {longest}"), "sec-fetch-mode= navigate"], &sent);
    let long = format!(":path= {longest}a");
    check(&[":method= GET", &long, "sec-fetch-mode= navigate"], "302 cookie_missing /login");
    for script in
        [&["sec-fetch-mode= cors", "accept= text/html"][..], &["accept= */*"], &["accept= text/html-x"], &[]]
    {
        check(&[&[":method= GET", ":path= /x"], script].concat(), "401 cookie_missing");
    }
    check(&[":method= POST", ":path= /x", "accept= text/html"], "401 cookie_missing");
}

/// Decides on a request of this address while 192.0.2.0/24 is banned from both kinds of requests.
fn decide_with_bans(lines: &[&str], client: &str) -> Verdict {
    let modulus = format!("{}w", "_".repeat(341));
    let body = format!(
        r#"{{"at":{NOW},"keys":{{"etag":"e1","set":{{"keys":[{{"kty":"RSA","n":"{modulus}","e":"AQAB"}}]}}}},
        "revoked":{{"sessions":[],"users":[]}},"cursor":"c1","more":false,"bans":{{"etag":"b1","list":[["192.0.2.0/24","credentials",1800000042],["192.0.2.0/24","refresh",1800000042]]}}}}"#
    );
    let mut state = EdgeState::new(one_key(), NOW);
    state.apply(body.as_bytes(), NOW).unwrap();
    let cache = TokenCache::new(8, 1, [7; 16]);
    let client = || Some(client.as_bytes().to_vec());
    let request = request(lines).from_client(&client);
    Gate { policy: &refreshing(), state: &state, cache: &cache, now: NOW }.decide(&request)
}

#[test]
fn banned_address_may_neither_attempt_nor_be_held() {
    let login = [":method= POST", ":path= /public/login"];
    let escaped = [":method= POST", ":path= /public/%6cogin"];
    let known = |cookie| [&login[..], &[cookie]].concat();
    let held = [":method= GET", ":path= /x", "cookie= refresh_token=r"];
    let navigation = [&held[..], &["sec-fetch-mode= navigate"]].concat();
    for (lines, banned, other) in [
        (&login[..], "429 network_banned", "pass with cookies"),
        (&escaped, "429 network_banned", "pass with cookies"),
        (&known("cookie= a=1; device_token=d"), "pass with cookies", "pass with cookies"),
        (&known("cookie= __Secure-device_token=d"), "pass with cookies", "pass with cookies"),
        (&known("cookie= my_device_token=d; device_token"), "429 network_banned", "pass with cookies"),
        (&[&held[..2], &["cookie= refresh_token=r; device_token=d"]].concat(), "429 network_banned", "hold"),
        (&[":method= GET", ":path= /public/login"], "pass with cookies", "pass with cookies"),
        (&[":method= POST", ":path= /public/other"], "pass with cookies", "pass with cookies"),
        (&held, "429 network_banned", "hold"),
        (&navigation, "429 network_banned", "hold"),
        (&[":method= GET", ":path= /x"], "401 cookie_missing", "401 cookie_missing"),
    ] {
        assert_eq!(render(&decide_with_bans(lines, "192.0.2.7:1234")), banned, "{lines:?}");
        for client in ["198.51.100.7:1234", "[2001:db8::1]:0", "/run/socket", ""] {
            assert_eq!(render(&decide_with_bans(lines, client)), other, "{lines:?} from {client}");
        }
    }
    let Verdict::Reply(reply) = decide_with_bans(&login, "192.0.2.7:1234") else { panic!("no reply") };
    assert!(reply.headers.contains(&("retry-after", "42".to_owned())), "{:?}", reply.headers);
    assert!(!reply.headers.iter().any(|(name, _)| *name == "set-cookie"), "the cookies stay");
    assert!(reply.body.contains(r#""code":"too_many_attempts""#), "{}", reply.body);
}

/// A policy that asks the companion for new access tokens.
fn refreshing() -> Policy {
    Policy { refresh_enabled: true, ..policy() }
}

#[test]
fn request_is_held_only_if_a_new_token_could_let_it_pass() {
    let long = format!("cookie= refresh_token={}", "r".repeat(65));
    for (lines, expected) in [
        (&[":path= /x", "cookie= refresh_token=r"][..], "hold"),
        (&[":path= /x", "cookie= access_token=; refresh_token=r"], "hold"),
        (&[":path= /x", "cookie= refresh_token="], "401 cookie_missing"),
        (&[":path= /x", "cookie= a=1"], "401 cookie_missing"),
        (&[":path= /x", "cookie= refresh_token=r; refresh_token=s"], "401 cookie_missing"),
        (&[":path= /x", &long], "401 cookie_missing"),
        (&[":path= /x", "cookie= access_token=bad; refresh_token=r"], "401 token_malformed"),
        (&[":path= /public/x", "cookie= refresh_token=r"], "pass with cookies"),
        (&[":path= /x//", "cookie= refresh_token=r"], "400 path_empty_segment"),
    ] {
        let lines = [&[":method= GET"], lines].concat();
        assert_eq!(render(&decide(&refreshing(), &lines, one_key())), expected, "{lines:?}");
    }
    let cross_site =
        [":method= POST", ":path= /x", "cookie= refresh_token=r", "origin= https://evil.example"];
    assert_eq!(render(&decide(&refreshing(), &cross_site, one_key())), "401 cookie_missing");
}

fn resume(lines: &[&str], outcome: &Outcome) -> Verdict<Infallible> {
    let (policy, state) = (refreshing(), EdgeState::new(one_key(), NOW));
    let cache = TokenCache::new(8, 1, [7; 16]);
    Gate { policy: &policy, state: &state, cache: &cache, now: NOW }.resume(
        &request(lines),
        Rejection::CookieMissing,
        outcome,
    )
}

#[test]
fn outcome_of_a_refresh_decides_on_a_held_request() {
    let bad = Renewed { access_token: "bad".into(), set_cookies: Vec::new() };
    let page = "sec-fetch-mode= navigate";
    for (outcome, api, navigation) in [
        (Outcome::SessionOver, "401 cookie_missing", "302 cookie_missing /login?return_to=/x"),
        (Outcome::Unavailable, "503 refresh_unavailable", "302 refresh_unavailable /login?return_to=/x"),
        (
            Outcome::Renewed(Arc::new(bad)),
            "503 refresh_unavailable",
            "302 refresh_unavailable /login?return_to=/x",
        ),
    ] {
        let lines = [":method= GET", ":path= /x", "cookie= refresh_token=r"];
        let verdict = resume(&lines, &outcome);
        assert_eq!(render(&verdict), api, "{outcome:?}");
        let Verdict::Reply(reply) = verdict else { panic!("{api}") };
        assert_eq!(reply.poll_early, matches!(outcome, Outcome::Renewed(_)), "{outcome:?}");
        assert_eq!(render(&resume(&[&lines[..], &[page]].concat(), &outcome)), navigation, "{outcome:?}");
    }
}

#[test]
fn renewed_token_out_of_its_time_names_the_clocks() {
    let stale = Rejection::FeedStale { age_s: 11, max_age_s: 10 };
    let ended = Rejection::SessionEnded { session_id: 7 };
    for (rejection, expected) in [
        (Rejection::IssuedInFuture { issued_at: NOW + 61, now: NOW }, Rejection::ClocksApart),
        (Rejection::Expired { expired_at: NOW - 5, now: NOW }, Rejection::ClocksApart),
        (ended, ended),
        (Rejection::KeyUnknown, Rejection::RefreshUnavailable),
        (Rejection::TokenOutdated { issued_at: NOW - 1, not_before: NOW }, Rejection::RefreshUnavailable),
        (stale, stale),
    ] {
        assert_eq!(of_renewed_token(rejection), expected, "{rejection:?}");
    }
}
