//! Compiled filter and the edge feed: the effect of every response on one worker.

use edgeward_kit::host::edge::{
    ENVOY, NOW, configuration, feed, get, headers, keys, rejected, upstream, with_feed,
};
use edgeward_kit::host::follower::{cookie, following, passes, poll, take_poll, with_key};
use edgeward_kit::host::{Call, Host};
use edgeward_kit::mint::{self, Key};
use serde_json::{Value, json};

#[test]
fn feed_state_is_used_for_the_configured_time() {
    let key = Key::generate("a");
    let cookie = cookie(&key);
    for (when_stale, expected) in [("allow", None), ("deny", Some((503, "feed_stale")))] {
        let response = feed(&json!({"keys": keys("e1", &[&key])}));
        let stale = json!({"max_staleness_seconds": 10, "when_stale": when_stale});
        let mut host = Host::start(ENVOY, &following("c", &stale)).unwrap();
        host.tick();
        let (call, _) = take_poll(&mut host);
        host.complete_call(&call, Some(200), &response);
        for (now, stale) in [(NOW + 10, false), (NOW + 11, true)] {
            host.set_now(now);
            let exchange = get(&mut host, "/orders", &[("cookie", &cookie)]);
            match expected.filter(|_| stale) {
                Some(expected) => assert_eq!(rejected(&exchange), expected),
                None => assert!(exchange.upstream.is_some(), "{when_stale} {now}: {exchange:?}"),
            }
        }
    }
}

// holds: invariant 5, promise 3
#[test]
fn without_a_key_protected_routes_respond_503_until_the_feed_has_one() {
    let key = Key::generate("a");
    let mut host = with_feed();
    let waiting = get(&mut host, "/orders", &[("cookie", &cookie(&key))]);
    assert_eq!(rejected(&waiting), (503, "keys_unknown"));
    assert!(waiting.local_reply.unwrap().headers.contains(&(b"retry-after".to_vec(), b"1".to_vec())));
    assert!(get(&mut host, "/public/", &[]).upstream.is_some());

    host.tick();
    host.advance(100);
    let (call, path) = take_poll(&mut host);
    assert_eq!(
        (call.cluster.as_str(), path.as_str()),
        ("companion_internal", "/internal/edge-feed?after=&keys=&bans=")
    );
    host.complete_call(&call, Some(200), &feed(&json!({"keys": keys("e1", &[&key])})));
    assert_eq!(upstream(&get(&mut host, "/orders", &[("cookie", &cookie(&key))]))[1], "x-user-id: 42");
}

// holds: promise 9
#[test]
fn revoked_token_is_rejected_though_it_was_accepted_before() {
    let key = Key::generate("a");
    let mut host = with_key(&key);
    let admin = format!("access_token={}", key.good_with(NOW, "sid", "8"));
    let mut check = |changes: Value, path: &str, expected: [Option<&str>; 2]| {
        assert_eq!(poll(&mut host, &feed(&changes)), path);
        for (cookie, expected) in [&cookie(&key), &admin].into_iter().zip(expected) {
            for route in ["/orders", "/public/"] {
                let exchange = get(&mut host, route, &[("cookie", cookie)]);
                match (route, expected) {
                    ("/orders", Some(label)) => assert_eq!(rejected(&exchange), (401, label), "{changes}"),
                    ("/public/", Some(_)) => assert_eq!(upstream(&exchange), [""; 0]),
                    _ => assert_eq!(upstream(&exchange)[1], "x-user-id: 42"),
                }
            }
        }
    };
    let until = NOW + 3600;
    check(json!({}), "/internal/edge-feed?after=c1&keys=e1&bans=", [None, None]);
    let session = json!({"sessions": [[7, until]], "users": []});
    check(
        json!({"revoked": session, "cursor": "c2"}),
        "/internal/edge-feed?after=c1&keys=e1&bans=",
        [Some("session_ended"), None],
    );
    let others = json!({"sessions": [[6, until]], "users": [[41, NOW + 1, until], [42, NOW, until]]});
    check(
        json!({"revoked": others, "cursor": "c3"}),
        "/internal/edge-feed?after=c2&keys=e1&bans=",
        [Some("session_ended"), None],
    );
    let user = json!({"sessions": [], "users": [[42, NOW + 1, until]]});
    check(
        json!({"revoked": user, "cursor": "c4"}),
        "/internal/edge-feed?after=c3&keys=e1&bans=",
        [Some("session_ended"), Some("token_outdated")],
    );
    assert_eq!(host.counter("edgeward_refused.reason.session_ended"), 3);
}

// holds: promise 3, promise 9
#[test]
fn no_request_passes_before_the_last_page_of_revocations() {
    let key = Key::generate("a");
    let mut host = with_feed();
    host.tick();
    let pages = [
        ("c1", true, "/internal/edge-feed?after=&keys=&bans="),
        ("c2", true, "/internal/edge-feed?after=c1&keys=e1&bans="),
    ];
    for (cursor, more, expected) in pages {
        let (call, path) = take_poll(&mut host);
        assert_eq!(path, expected);
        let keys = if cursor == "c1" { keys("e1", &[&key]) } else { json!({"etag": "e1"}) };
        host.complete_call(&call, Some(200), &feed(&json!({"keys": keys, "cursor": cursor, "more": more})));
        let exchange = get(&mut host, "/orders", &[("cookie", &cookie(&key))]);
        assert_eq!(rejected(&exchange), (503, "revocations_unknown"));
    }
    let (call, path) = take_poll(&mut host);
    assert_eq!(path, "/internal/edge-feed?after=c2&keys=e1&bans=");
    host.complete_call(&call, Some(200), &feed(&json!({"cursor": "c3"})));
    assert!(passes(&mut host, &key));
}

#[test]
fn configured_keys_count_when_the_first_poll_fails_unless_denied() {
    let key = Key::generate("a");
    for (when_stale, expected) in [("allow", true), ("deny", false)] {
        let feed = json!({"cluster": "c", "when_stale": when_stale});
        let inline = json!({"inline": mint::jwks(&[&key])});
        let mut host = Host::start(ENVOY, &configuration(&json!({"feed": feed, "keys": inline}))).unwrap();
        assert!(!passes(&mut host, &key), "the revocations are not known yet");
        host.tick();
        let (call, _) = take_poll(&mut host);
        host.complete_call(&call, None, b"");
        assert_eq!(passes(&mut host, &key), expected, "{when_stale}");
    }
}

// holds: invariant 3, promise 6
#[test]
fn invalid_responses_leave_the_last_valid_state_in_use() {
    let (key, next) = (Key::generate("a"), Key::generate("b"));
    let mut host = with_key(&key);
    let weak = json!({"etag": "e2", "set": {"keys": [{"kty": "RSA", "kid": "w", "n": "AQAB", "e": "AQAB"}]}});
    for (status, body, reason) in [
        (Some(500), Vec::new(), "status"),
        (Some(404), feed(&json!({})), "status"),
        (None, Vec::new(), "no_answer"),
        (Some(200), Vec::new(), "malformed"),
        (Some(200), b"{}".to_vec(), "malformed"),
        (Some(200), feed(&json!({})).split_last().unwrap().1.to_vec(), "malformed"),
        (Some(200), feed(&json!({"cursor": "a b"})), "malformed"),
        (Some(200), feed(&json!({"keys": {"etag": "e2", "set": {"keys": []}}})), "keys_unusable"),
        (Some(200), feed(&json!({"keys": {"etag": "e2"}})), "keys_unusable"),
        (Some(200), feed(&json!({"keys": weak})), "keys_unusable"),
        (Some(200), vec![b'x'; 800_000], "oversize"),
        (Some(200), vec![b'x'; 2_000_000], "oversize"),
        (Some(200), feed(&json!({"at": NOW + 300})), "clock_apart"),
        (Some(200), feed(&json!({"at": NOW - 6})), "backwards"),
    ] {
        let counter = format!("edgeward_feed_failed.reason.{reason}");
        let before = host.counter(&counter);
        host.advance(2200);
        let (call, path) = take_poll(&mut host);
        assert_eq!(path, "/internal/edge-feed?after=c1&keys=e1&bans=", "{status:?} {reason}");
        host.complete_call(&call, status, &body);
        assert!(passes(&mut host, &key), "{status:?} {reason}");
        assert_eq!(host.counter(&counter), before + 1, "{status:?} {reason}");
    }
    // A call without a response is cancelled, and its late response is not taken for that of another call.
    host.advance(2200);
    let (lost, _) = take_poll(&mut host);
    host.advance(2100);
    assert_eq!(host.counter("edgeward_feed_failed.reason.lost"), 1);
    host.advance(2200);
    let (call, _) = take_poll(&mut host);
    host.complete_call(&lost, Some(500), b"");
    let at = NOW + 40;
    host.complete_call(&call, Some(200), &feed(&json!({"at": at, "keys": keys("e2", &[&next])})));
    assert_eq!(rejected(&get(&mut host, "/orders", &[("cookie", &cookie(&key))])), (401, "kid_unknown"));
    let failures = host.log().iter().filter(|line| line.contains("failed")).count();
    assert_eq!(failures, 1, "a lasting failure is logged once: {:?}", host.log());
}

#[test]
fn failing_feed_is_polled_less_often_and_its_age_is_a_metric() {
    let mut host = with_key(&Key::generate("a"));
    let mut polls = 0;
    for _ in 0..600 {
        host.advance(100);
        for call in host.take_calls() {
            polls += 1;
            host.complete_call(&call, Some(503), b"");
        }
    }
    assert!((20..40).contains(&polls), "{polls} calls in a minute");
    assert!((59..=60).contains(&host.counter("edgeward_feed_age_seconds")));
    assert_eq!(host.counter("edgeward_keys"), 1);
}

#[test]
fn token_under_an_unknown_key_causes_one_early_poll() {
    let (key, next) = (Key::generate("a"), Key::generate("b"));
    let mut host = with_key(&key);
    assert!(!passes(&mut host, &next));
    // A navigation is redirected to the login, for the same reason.
    let page = get(&mut host, "/orders", &[("cookie", &cookie(&next)), ("sec-fetch-mode", "navigate")]);
    assert_eq!(rejected(&page), (302, "kid_unknown"));
    host.advance(1);
    let (call, _) = take_poll(&mut host);
    host.complete_call(&call, Some(200), &feed(&json!({"keys": keys("e2", &[&key, &next])})));
    assert!(passes(&mut host, &next));
    let unknown = Key::generate("c");
    for _ in 0..40 {
        assert!(!passes(&mut host, &unknown));
        host.advance(10);
    }
    assert_eq!(host.take_calls().len(), 0, "not again within five seconds");
}

// holds: invariant 3, promise 6
#[test]
fn repeated_late_or_foreign_responses_change_nothing() {
    let (key, other) = (Key::generate("a"), Key::generate("b"));
    let response = |etag: &str, key: &Key| feed(&json!({"keys": keys(etag, &[key])}));
    let mut host = with_feed();
    host.tick();
    let (call, _) = take_poll(&mut host);
    host.complete_call(&call, Some(200), &response("e1", &key));
    host.complete_call(&call, Some(200), &response("e2", &other));
    host.complete_call(&Call { token: 4711, ..call.clone() }, Some(200), &response("e3", &other));
    host.advance(2200);
    let (late, _) = take_poll(&mut host);
    host.advance(60_000);
    host.complete_call(&late, Some(200), &response("e4", &other));
    assert!(passes(&mut host, &key));
}

#[test]
fn change_of_configuration_rejects_no_request_and_loses_nothing() {
    let key = Key::generate("a");
    let mut host = with_key(&key);
    let other = format!("access_token={}", key.good_with(NOW, "sid", "8"));
    let revoked = json!({"sessions": [[8, NOW + 3600]], "users": []});
    poll(&mut host, &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    for more in [json!({"poll_ms": 500}), json!({"timeout_ms": 200}), json!({})] {
        host.reconfigure(&following("companion_internal", &more));
        assert!(passes(&mut host, &key), "{more}");
        assert_eq!(
            rejected(&get(&mut host, "/orders", &[("cookie", &other)])),
            (401, "session_ended"),
            "{more}"
        );
        let response = feed(&json!({"cursor": "c2"}));
        assert_eq!(poll(&mut host, &response), "/internal/edge-feed?after=c2&keys=e1&bans=", "{more}");
    }
    host.reconfigure(&following("elsewhere", &json!({})));
    assert!(!passes(&mut host, &key), "the keys of another feed are not used");
}

// holds: invariant 8, promise 8
#[test]
fn feed_is_polled_with_its_secret_if_it_has_one() {
    let mut host = Host::start(ENVOY, &following("c", &json!({"secret": "hunter2"}))).unwrap();
    host.tick();
    let (call, _) = take_poll(&mut host);
    assert!(call.headers.contains(&(b"authorization".to_vec(), b"Bearer hunter2".to_vec())));
    assert!(!host.log().iter().any(|line| line.contains("hunter2")));
}

#[test]
fn clock_set_back_stops_no_polls_and_renews_no_state() {
    let key = Key::generate("a");
    let denies = following("c", &json!({"when_stale": "deny", "max_staleness_seconds": 10}));
    let mut host = Host::start(ENVOY, &denies).unwrap();
    poll(&mut host, &feed(&json!({"keys": keys("e1", &[&key])})));
    host.set_now(NOW - 600);
    let mut polls = 0;
    for _ in 0..120 {
        host.advance(100);
        polls += host.take_calls().into_iter().map(|call| host.complete_call(&call, Some(503), b"")).count();
    }
    assert!(polls > 3, "{polls} polls in 12 s");
    let stale = get(&mut host, "/orders", &[("cookie", &cookie(&key))]);
    assert_eq!(rejected(&stale), (503, "feed_stale"));
}

#[test]
fn clock_ahead_in_one_response_hides_no_later_response() {
    let key = Key::generate("a");
    let mut host = with_feed();
    poll(&mut host, &feed(&json!({"at": NOW + 59, "keys": keys("e1", &[&key])})));
    let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
    poll(&mut host, &feed(&json!({"at": NOW + 4, "revoked": revoked, "cursor": "c2"})));
    assert!(!passes(&mut host, &key));
}

#[test]
fn stale_state_may_be_allowed_by_one_configuration_and_denied_by_another() {
    let key = Key::generate("a");
    let inline = json!({"inline": mint::jwks(&[&key])});
    let with = |when_stale: &str| {
        configuration(&json!({"keys": inline, "feed": {"cluster": "c", "when_stale": when_stale}}))
    };
    let mut host = Host::start(ENVOY, &with("allow")).unwrap();
    host.tick();
    let (call, _) = take_poll(&mut host);
    host.complete_call(&call, Some(503), b"");
    assert!(passes(&mut host, &key));
    host.reconfigure(&with("deny"));
    assert!(!passes(&mut host, &key));
}

#[test]
fn keys_configured_while_the_feed_is_down_are_used() {
    let key = Key::generate("a");
    let mut host = with_feed();
    host.tick();
    let (call, _) = take_poll(&mut host);
    host.complete_call(&call, Some(503), b"");
    let rescue = json!({"feed": {"cluster": "companion_internal"}, "keys": {"inline": mint::jwks(&[&key])}});
    host.reconfigure(&configuration(&rescue));
    assert!(passes(&mut host, &key));
}

#[test]
fn feed_that_was_not_followed_meanwhile_starts_over() {
    let key = Key::generate("a");
    let with = |cluster: &str| {
        configuration(&json!({"feed": {"cluster": cluster}, "refresh": {"cluster": cluster}}))
    };
    let mut host = Host::start(ENVOY, &with("x")).unwrap();
    poll(&mut host, &feed(&json!({"keys": keys("e1", &[&key])})));
    let head = [(":method", "GET"), (":path", "/orders"), ("cookie", "refresh_token=r")];
    let stream = host.open(headers(&head));
    host.end(stream);
    host.reconfigure(&with("y"));
    host.reconfigure(&with("x"));
    assert!(!passes(&mut host, &key), "a call without a response does not keep the state");
}
