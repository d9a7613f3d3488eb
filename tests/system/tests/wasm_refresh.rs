//! The compiled filter and the edge refresh: requests that are held for a new token, and their outcomes.

use edgeward_kit::host::edge::{ENVOY, NOW, configuration, headers, rejected};
use edgeward_kit::host::{CALLS, Exchange, Headers, Host};
use edgeward_kit::mint::{self, Key};
use serde_json::json;

const COOKIES: [&str; 2] = ["access_token=new; Path=/; HttpOnly", "refresh_token=next; Path=/; HttpOnly"];

fn start(key: &Key) -> Host {
    let refresh = json!({"cluster": "companion_internal", "secret": "hunter2"});
    let keys = json!({"inline": mint::jwks(&[key])});
    Host::start(ENVOY, &configuration(&json!({"keys": keys, "refresh": refresh}))).unwrap()
}

fn head(path: &str, cookie: &str, more: &[(&str, &str)]) -> Headers {
    let head = [(":method", "GET"), (":path", path), (":authority", "shop.example"), ("cookie", cookie)];
    headers(&[&head, more].concat())
}

/// Returns the companion's response while the session lasts.
fn granted(token: &str) -> String {
    json!({"access_token": token, "set_cookies": COOKIES}).to_string()
}

fn value<'h>(headers: &'h Headers, name: &str) -> Vec<&'h str> {
    let found = headers.iter().filter(|(this, _)| this == name.as_bytes());
    found.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect()
}

#[test]
fn request_without_a_valid_token_is_held_and_continues_with_the_new_one() {
    let (key, stranger) = (Key::generate("a"), Key::generate("b"));
    let mut host = start(&key);
    let expired = format!("access_token={}; refresh_token=old; a=1", key.good_with(NOW, "exp", "1"));
    let unknown = format!("access_token={}; refresh_token=old; a=1", stranger.good(NOW));
    // It was made before the clock was set back.
    let ahead = format!("access_token={}; refresh_token=old; a=1", key.good(NOW + 61));
    for cookie in ["refresh_token=old; a=1", &expired, &unknown, &ahead] {
        let more = [("user-agent", "Browser"), ("x-forwarded-for", "192.0.2.7"), ("x-user-id", "1")];
        let stream = host.open(head("/orders", cookie, &more));
        assert!(host.is_held(stream));
        let call = host.take_call();
        assert_eq!(call.cluster, "companion_internal");
        for (name, expected) in [
            (":method", "POST"),
            (":path", "/internal/edge-refresh"),
            ("cookie", "refresh_token=old"),
            ("authorization", "Bearer hunter2"),
            ("user-agent", "Browser"),
            ("x-forwarded-for", "192.0.2.7"),
        ] {
            assert_eq!(value(&call.headers, name), [expected]);
        }
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
        let response =
            host.respond(stream, headers(&[("cache-control", "public, max-age=60"), ("set-cookie", "b=2")]));
        assert_eq!(value(&response, "set-cookie"), [&["b=2"], &COOKIES[..]].concat());
        let upstream = host.end(stream).upstream.unwrap();
        assert_eq!(value(&upstream, "x-user-id"), ["42"]);
        assert_eq!(value(&upstream, "cookie"), ["a=1"]);
    }
    assert!(!host.log().iter().any(|line| line.contains("hunter2") || line.contains("old")));
}

#[test]
fn a_response_that_sets_no_cookie_stays_as_it_is() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let stream = host.open(head("/orders", &format!("access_token={}", key.good(NOW)), &[]));
    let response = headers(&[("cache-control", "public, max-age=60")]);
    assert_eq!(host.respond(stream, response.clone()), response);
}

#[test]
fn only_requests_that_a_new_token_would_help_are_held() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let other = key.good_with(NOW, "iss", "\"other\"");
    let cross_site = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let post = |cookie: &str| {
        let mut head = head("/orders", cookie, &cross_site);
        head[0].1 = b"POST".to_vec();
        head
    };
    for (case, request) in [
        ("no refresh token", head("/orders", "a=1", &[])),
        ("an empty one", head("/orders", "refresh_token=", &[])),
        ("several", head("/orders", "refresh_token=a; refresh_token=b", &[])),
        ("a token that is not ours", head("/orders", &format!("access_token={other}; refresh_token=r"), &[])),
        ("a public route", head("/public/", "refresh_token=r", &[])),
        ("an ambiguous path", head("/orders//", "refresh_token=r", &[])),
        ("another site's page", post("refresh_token=r")),
        ("an oversize one", head("/orders", &format!("refresh_token={}", "r".repeat(5000)), &[])),
    ] {
        let stream = host.open(request);
        assert!(!host.is_held(stream), "{case}");
        assert!(host.take_calls().is_empty(), "{case}");
        host.end(stream);
    }
}

#[test]
fn requests_share_a_call_with_those_of_their_session_alone() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let streams: Vec<u32> = (0..8).map(|_| host.open(head("/orders", "refresh_token=one", &[]))).collect();
    let other = host.open(head("/orders", "refresh_token=two", &[]));
    let calls = host.take_calls();
    assert_eq!(calls.len(), 2);
    host.complete_call(&calls[0], Some(200), granted(&key.good(NOW)).as_bytes());
    for stream in streams {
        assert_eq!(value(&host.respond(stream, headers(&[])), "set-cookie"), COOKIES);
        assert!(host.end(stream).upstream.is_some());
    }
    assert!(host.is_held(other));
    assert_eq!(host.verifications(), 1);
}

#[test]
fn without_a_new_token_api_calls_and_navigations_are_rejected_in_kind() {
    let key = Key::generate("a");
    let good = granted(&key.good(NOW));
    let forged = granted(&Key::generate("a").good(NOW));
    for (case, status, body, expected, sets_cookies) in [
        ("the session is over", Some(401), "", (401, "cookie_missing"), false),
        ("the companion is busy", Some(503), "", (503, "refresh_unavailable"), false),
        ("it does not respond", None, "", (503, "refresh_unavailable"), false),
        ("its response is nonsense", Some(200), "{}", (503, "refresh_unavailable"), false),
        (
            "its response is too large",
            Some(200),
            &format!("{good}{}", " ".repeat(70_000)),
            (503, "refresh_unavailable"),
            false,
        ),
        ("its token is not good here", Some(200), &forged, (503, "refresh_unavailable"), true),
    ] {
        let mut host = start(&key);
        let api = host.open(head("/orders", "refresh_token=r", &[]));
        let page = host.open(head("/orders?page=2", "refresh_token=r", &[("sec-fetch-mode", "navigate")]));
        let call = host.take_call();
        host.complete_call(&call, status, body.as_bytes());
        assert_eq!(!value(&host.respond(api, headers(&[])), "set-cookie").is_empty(), sets_cookies, "{case}");
        let api = host.end(api);
        assert_eq!(rejected(&api), expected, "{case}");
        let retry = value(&api.local_reply.unwrap().headers, "retry-after").len();
        assert_eq!(retry == 1, expected.0 == 503, "{case}");
        let page: Exchange = host.end(page);
        assert_eq!(rejected(&page), (302, expected.1), "{case}");
        assert_eq!(
            value(&page.local_reply.unwrap().headers, "location"),
            ["/login?return_to=/orders%3Fpage%3D2"]
        );
    }
}

#[test]
fn new_token_of_a_wrong_role_is_rejected_and_its_cookies_are_set() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let stream = host.open(head("/admin/x", "refresh_token=r", &[]));
    let call = host.take_call();
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert_eq!(value(&host.respond(stream, headers(&[])), "set-cookie"), COOKIES);
    assert_eq!(rejected(&host.end(stream)), (403, "role_insufficient"));
}

#[test]
fn held_request_ends_when_its_client_disconnects() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let gone = host.open(head("/orders", "refresh_token=r", &[]));
    let stays = host.open(head("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    assert!(host.end(gone).upstream.is_none());
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert!(host.end(stays).upstream.is_some());
    // All of them have disconnected before the response.
    let gone = host.open(head("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    host.end(gone);
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert_eq!(host.counter("edgeward_refused.reason.host_failed"), 0);
}

#[test]
fn call_lost_by_the_host_holds_no_request_for_ever() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let stream = host.open(head("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    host.advance_in_ticks(2900);
    assert!(host.is_held(stream));
    host.advance_in_ticks(200);
    assert_eq!(rejected(&host.end(stream)), (503, "refresh_unavailable"));
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
}

#[test]
fn change_of_configuration_leaves_no_request_held() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let stream = host.open(head("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    host.reconfigure(&configuration(&json!({"keys": {"inline": mint::jwks(&[&key])}})));
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert!(host.end(stream).upstream.is_some());
}

#[test]
fn requests_beyond_the_limit_are_rejected_until_others_complete() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let token = |at: usize| format!("refresh_token=r{}", at / 256);
    let held: Vec<u32> = (0..4096).map(|at| host.open(head("/orders", &token(at), &[]))).collect();
    for beyond in ["refresh_token=r0", "refresh_token=other"] {
        let beyond = host.open(head("/orders", beyond, &[]));
        assert_eq!(rejected(&host.end(beyond)), (503, "refresh_unavailable"));
    }
    for call in host.take_calls() {
        host.complete_call(&call, Some(401), b"");
    }
    assert!(held.into_iter().all(|stream| rejected(&host.end(stream)) == (401, "cookie_missing")));
    let asking: Vec<u32> =
        (0..1024).map(|at| host.open(head("/orders", &format!("refresh_token={at}"), &[]))).collect();
    let beyond = host.open(head("/orders", "refresh_token=r", &[]));
    assert_eq!(rejected(&host.end(beyond)), (503, "refresh_unavailable"));
    assert!(asking.into_iter().all(|stream| host.is_held(stream)));
}

#[test]
fn whatever_a_host_returns_no_request_passes_unchecked() {
    let key = Key::generate("a");
    for call in CALLS {
        for fails_late in [false, true] {
            let mut host = start(&key);
            if !fails_late {
                host.fail(call, 2);
            }
            let stream = host.open(head("/orders", "refresh_token=r", &[("x-user-id", "1")]));
            let calls = host.take_calls();
            host.fail(call, 2);
            for call in calls {
                host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
            }
            let Some(passed) = host.end(stream).upstream else { continue };
            assert_eq!(value(&passed, "x-user-id"), ["42"], "{call} {fails_late}");
            assert!(!value(&passed, "cookie").iter().any(|cookie| cookie.contains("_token")), "{call}");
        }
    }
}

#[test]
fn disconnected_clients_take_no_room_from_held_requests() {
    let key = Key::generate("a");
    let mut host = start(&key);
    for _ in 0..5000 {
        let gone = host.open(head("/orders", "refresh_token=mine", &[]));
        host.end(gone);
    }
    let honest = host.open(head("/orders", "refresh_token=honest", &[]));
    assert!(host.is_held(honest));
    // Many clients as well as one.
    for at in 0..5000 {
        let gone = host.open(head("/orders", &format!("refresh_token=r{}", at / 256), &[]));
        host.end(gone);
    }
    let late = host.open(head("/orders", "refresh_token=late", &[]));
    assert!(host.is_held(late));
    assert!(host.is_held(honest));
}

#[test]
fn renewed_cookies_go_with_the_response_to_their_request_alone() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let streams = ["r", "s"].map(|token| host.open(head("/orders", &format!("refresh_token={token}"), &[])));
    for call in host.take_calls() {
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    }
    let other = host.open(head("/public/", "", &[]));
    assert_eq!(host.respond(other, headers(&[])), headers(&[]));
    host.end(streams[0]);
    assert_eq!(value(&host.respond(streams[1], headers(&[])), "set-cookie"), COOKIES);
    assert_eq!(host.respond(streams[1], headers(&[])), headers(&[]));
}

#[test]
fn rejected_refresh_token_is_not_sent_again_at_every_request() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let mut calls = 0;
    for _ in 0..100 {
        let stream = host.open(head("/orders", "refresh_token=dead", &[]));
        for call in host.take_calls() {
            calls += 1;
            host.complete_call(&call, Some(401), b"");
        }
        assert_eq!(rejected(&host.end(stream)), (401, "cookie_missing"));
    }
    assert_eq!(calls, 1);
    host.advance_in_ticks(5000);
    let stream = host.open(head("/orders", "refresh_token=dead", &[]));
    assert!(host.is_held(stream));
}

#[test]
fn forwarded_cookies_are_the_new_ones() {
    let key = Key::generate("a");
    let rules = json!([{"prefix": "/account/", "access": "signed_in", "forward_cookies": true}]);
    let keys = json!({"inline": mint::jwks(&[&key])});
    let with = json!({"keys": keys, "refresh": {"cluster": "c"}, "rules": rules});
    let mut host = Host::start(ENVOY, &configuration(&with)).unwrap();
    let stream = host.open(head("/account/", "a=1; refresh_token=old", &[]));
    let call = host.take_call();
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    let upstream = host.end(stream).upstream.unwrap();
    assert_eq!(value(&upstream, "cookie"), ["a=1; access_token=new; refresh_token=next"]);
}

#[test]
fn renewed_cookies_stay_off_a_late_response() {
    let key = Key::generate("a");
    for (millis, expected) in [(5000, &COOKIES[..]), (5100, &[])] {
        let mut host = start(&key);
        let stream = host.open(head("/long-poll", "refresh_token=old", &[]));
        let call = host.take_call();
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
        // By now the browser may be somebody else's.
        host.advance_in_ticks(millis);
        let response = host.respond(stream, headers(&[("cache-control", "public")]));
        assert_eq!(value(&response, "set-cookie"), expected, "after {millis} ms");
        assert_eq!(
            value(&response, "cache-control"),
            [if expected.is_empty() { "public" } else { "no-store" }]
        );
        assert!(host.end(stream).upstream.is_some());
    }
}

#[test]
fn resumed_requests_take_no_room_from_held_ones() {
    let key = Key::generate("a");
    let mut host = start(&key);
    for at in 0..5000 {
        let slow = host.open(head("/long-poll", &format!("refresh_token=r{at}"), &[]));
        let call = host.take_call();
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
        assert!(!host.is_held(slow), "{at}");
    }
}

#[test]
fn clock_that_is_set_abandons_no_call_and_forgets_no_rejection() {
    let key = Key::generate("a");
    for now in [NOW + 60, NOW - 60] {
        let mut host = start(&key);
        let stream = host.open(head("/orders", "refresh_token=r", &[]));
        let call = host.take_call();
        host.set_now(now);
        host.tick();
        assert!(host.is_held(stream), "at {now}");
        host.complete_call(&call, Some(401), b"");
        let again = host.open(head("/orders", "refresh_token=r", &[]));
        assert!(!host.is_held(again), "at {now}");
        host.advance_in_ticks(5000);
        let again = host.open(head("/orders", "refresh_token=r", &[]));
        assert!(host.is_held(again), "at {now}");
    }
}

#[test]
fn cookies_of_the_upstream_win_and_no_cache_stores_the_response() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let stream = host.open(head("/leave", "refresh_token=old", &[]));
    let call = host.take_call();
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    let cleared = "refresh_token=; Max-Age=0";
    let lines = [
        ("set-cookie", cleared),
        ("x-cdn-cache-control", "max-age=600"),
        ("surrogate-control", "max-age=600"),
    ];
    let response = host.respond(stream, headers(&lines));
    assert_eq!(value(&response, "set-cookie"), [cleared, COOKIES[0]]);
    assert_eq!(value(&response, "cache-control"), ["no-store"]);
    assert!(
        value(&response, "x-cdn-cache-control").is_empty()
            && value(&response, "surrogate-control").is_empty()
    );
}
