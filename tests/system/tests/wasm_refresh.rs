//! Compiled filter and the edge refresh: requests that are held for a new token, and their outcomes.

use edgeward_kit::host::edge::{NOW, configuration, headers, rejected};
use edgeward_kit::host::refresh::{COOKIES, granted, refreshing, values, with_cookie};
use edgeward_kit::host::{CALLS, Exchange};
use edgeward_kit::mint::{self, Key};
use serde_json::json;

#[test]
fn request_without_a_valid_token_is_held_and_continues_with_the_new_one() {
    let (key, stranger) = (Key::generate("a"), Key::generate("b"));
    let mut host = refreshing(&key);
    let expired = format!("access_token={}; refresh_token=old; a=1", key.good_with(NOW, "exp", "1"));
    let unknown = format!("access_token={}; refresh_token=old; a=1", stranger.good(NOW));
    // This token was issued before the clock was set back.
    let ahead = format!("access_token={}; refresh_token=old; a=1", key.good(NOW + 61));
    for cookie in ["refresh_token=old; a=1", &expired, &unknown, &ahead] {
        let more = [("user-agent", "Browser"), ("x-forwarded-for", "192.0.2.7"), ("x-user-id", "1")];
        let stream = host.open(with_cookie("/orders", cookie, &more));
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
            assert_eq!(values(&call.headers, name), [expected]);
        }
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
        let response =
            host.respond(stream, headers(&[("cache-control", "public, max-age=60"), ("set-cookie", "b=2")]));
        assert_eq!(values(&response, "set-cookie"), [&["b=2"], &COOKIES[..]].concat());
        let upstream = host.end(stream).upstream.unwrap();
        assert_eq!(values(&upstream, "x-user-id"), ["42"]);
        assert_eq!(values(&upstream, "cookie"), ["a=1"]);
    }
    assert!(!host.log().iter().any(|line| line.contains("hunter2") || line.contains("old")));
}

// holds: invariant 5
#[test]
fn only_requests_that_a_new_token_would_help_are_held() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let other = key.good_with(NOW, "iss", "\"other\"");
    let cross_site = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let post = |cookie: &str| {
        let mut head = with_cookie("/orders", cookie, &cross_site);
        head[0].1 = b"POST".to_vec();
        head
    };
    for (case, request) in [
        ("no refresh token", with_cookie("/orders", "a=1", &[])),
        ("an empty one", with_cookie("/orders", "refresh_token=", &[])),
        ("several", with_cookie("/orders", "refresh_token=a; refresh_token=b", &[])),
        (
            "a token that is not ours",
            with_cookie("/orders", &format!("access_token={other}; refresh_token=r"), &[]),
        ),
        ("a public route", with_cookie("/public/", "refresh_token=r", &[])),
        ("an ambiguous path", with_cookie("/orders//", "refresh_token=r", &[])),
        ("another site's page", post("refresh_token=r")),
        ("an oversize one", with_cookie("/orders", &format!("refresh_token={}", "r".repeat(5000)), &[])),
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
    let mut host = refreshing(&key);
    let streams: Vec<u32> =
        (0..8).map(|_| host.open(with_cookie("/orders", "refresh_token=one", &[]))).collect();
    let other = host.open(with_cookie("/orders", "refresh_token=two", &[]));
    let calls = host.take_calls();
    assert_eq!(calls.len(), 2);
    host.complete_call(&calls[0], Some(200), granted(&key.good(NOW)).as_bytes());
    for stream in streams {
        assert_eq!(values(&host.respond(stream, headers(&[])), "set-cookie"), COOKIES);
        assert!(host.end(stream).upstream.is_some());
    }
    assert!(host.is_held(other));
    assert_eq!(host.verifications(), 1);
}

// holds: invariant 5
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
        ("its token is not valid here", Some(200), &forged, (503, "refresh_unavailable"), true),
    ] {
        let mut host = refreshing(&key);
        let api = host.open(with_cookie("/orders", "refresh_token=r", &[]));
        let page =
            host.open(with_cookie("/orders?page=2", "refresh_token=r", &[("sec-fetch-mode", "navigate")]));
        let call = host.take_call();
        host.complete_call(&call, status, body.as_bytes());
        assert_eq!(
            !values(&host.respond(api, headers(&[])), "set-cookie").is_empty(),
            sets_cookies,
            "{case}"
        );
        let api = host.end(api);
        assert_eq!(rejected(&api), expected, "{case}");
        let retry = values(&api.local_reply.unwrap().headers, "retry-after").len();
        assert_eq!(retry == 1, expected.0 == 503, "{case}");
        let page: Exchange = host.end(page);
        assert_eq!(rejected(&page), (302, expected.1), "{case}");
        assert_eq!(
            values(&page.local_reply.unwrap().headers, "location"),
            ["/login?return_to=/orders%3Fpage%3D2"]
        );
    }
}

#[test]
fn new_token_of_a_wrong_role_is_rejected_and_its_cookies_are_set() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let stream = host.open(with_cookie("/admin/x", "refresh_token=r", &[]));
    let call = host.take_call();
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert_eq!(values(&host.respond(stream, headers(&[])), "set-cookie"), COOKIES);
    assert_eq!(rejected(&host.end(stream)), (403, "role_insufficient"));
}

#[test]
fn held_request_ends_when_its_client_disconnects() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let gone = host.open(with_cookie("/orders", "refresh_token=r", &[]));
    let stays = host.open(with_cookie("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    assert!(host.end(gone).upstream.is_none());
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert!(host.end(stays).upstream.is_some());
    // All of them have disconnected before the response.
    let gone = host.open(with_cookie("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    host.end(gone);
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert_eq!(host.counter("edgeward_refused.reason.host_failed"), 0);
}

#[test]
fn change_of_configuration_leaves_no_request_held() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let stream = host.open(with_cookie("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    host.reconfigure(&configuration(&json!({"keys": {"inline": mint::jwks(&[&key])}})));
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    assert!(host.end(stream).upstream.is_some());
}

// holds: promise 3
#[test]
fn no_status_of_the_host_lets_a_held_request_pass_unchecked() {
    let key = Key::generate("a");
    for call in CALLS {
        for fails_late in [false, true] {
            let mut host = refreshing(&key);
            if !fails_late {
                host.fail(call, 2);
            }
            let stream = host.open(with_cookie("/orders", "refresh_token=r", &[("x-user-id", "1")]));
            let calls = host.take_calls();
            host.fail(call, 2);
            for call in calls {
                host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
            }
            let Some(passed) = host.end(stream).upstream else { continue };
            assert_eq!(values(&passed, "x-user-id"), ["42"], "{call} {fails_late}");
            assert!(!values(&passed, "cookie").iter().any(|cookie| cookie.contains("_token")), "{call}");
        }
    }
}
