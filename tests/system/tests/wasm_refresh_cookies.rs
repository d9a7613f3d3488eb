//! Compiled filter and the cookies of an edge refresh: the response that sets them, and the requests that forward them.

use edgeward_kit::host::Host;
use edgeward_kit::host::edge::{ENVOY, NOW, configuration, headers};
use edgeward_kit::host::refresh::{COOKIES, granted, refreshing, values, with_cookie};
use edgeward_kit::mint::{self, Key};
use serde_json::json;

#[test]
fn a_response_that_sets_no_cookie_stays_as_it_is() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let stream = host.open(with_cookie("/orders", &format!("access_token={}", key.good(NOW)), &[]));
    let response = headers(&[("cache-control", "public, max-age=60")]);
    assert_eq!(host.respond(stream, response.clone()), response);
}

#[test]
fn renewed_cookies_go_with_the_response_to_their_request_alone() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let streams =
        ["r", "s"].map(|token| host.open(with_cookie("/orders", &format!("refresh_token={token}"), &[])));
    for call in host.take_calls() {
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    }
    let other = host.open(with_cookie("/public/", "", &[]));
    assert_eq!(host.respond(other, headers(&[])), headers(&[]));
    host.end(streams[0]);
    assert_eq!(values(&host.respond(streams[1], headers(&[])), "set-cookie"), COOKIES);
    assert_eq!(host.respond(streams[1], headers(&[])), headers(&[]));
}

#[test]
fn forwarded_cookies_are_the_new_ones() {
    let key = Key::generate("a");
    let rules = json!([{"prefix": "/account/", "access": "signed_in", "forward_cookies": true}]);
    let keys = json!({"inline": mint::jwks(&[&key])});
    let with = json!({"keys": keys, "refresh": {"cluster": "c"}, "rules": rules});
    let mut host = Host::start(ENVOY, &configuration(&with)).unwrap();
    let stream = host.open(with_cookie("/account/", "a=1; refresh_token=old", &[]));
    let call = host.take_call();
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    let upstream = host.end(stream).upstream.unwrap();
    assert_eq!(values(&upstream, "cookie"), ["a=1; access_token=new; refresh_token=next"]);
}

#[test]
fn renewed_cookies_stay_off_a_late_response() {
    let key = Key::generate("a");
    for (millis, expected) in [(5000, &COOKIES[..]), (5100, &[])] {
        let mut host = refreshing(&key);
        let stream = host.open(with_cookie("/long-poll", "refresh_token=old", &[]));
        let call = host.take_call();
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
        // By now another user may have the browser.
        host.advance_in_ticks(millis);
        let response = host.respond(stream, headers(&[("cache-control", "public")]));
        assert_eq!(values(&response, "set-cookie"), expected, "after {millis} ms");
        assert_eq!(
            values(&response, "cache-control"),
            [if expected.is_empty() { "public" } else { "no-store" }]
        );
        assert!(host.end(stream).upstream.is_some());
    }
}

#[test]
fn cookies_of_the_upstream_win_and_no_cache_stores_the_response() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let stream = host.open(with_cookie("/leave", "refresh_token=old", &[]));
    let call = host.take_call();
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    let cleared = "refresh_token=; Max-Age=0";
    let lines = [
        ("set-cookie", cleared),
        ("x-cdn-cache-control", "max-age=600"),
        ("surrogate-control", "max-age=600"),
    ];
    let response = host.respond(stream, headers(&lines));
    assert_eq!(values(&response, "set-cookie"), [cleared, COOKIES[0]]);
    assert_eq!(values(&response, "cache-control"), ["no-store"]);
    assert!(
        values(&response, "x-cdn-cache-control").is_empty()
            && values(&response, "surrogate-control").is_empty()
    );
}
