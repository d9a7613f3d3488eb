//! Compiled filter and the edge feed: several workers of one proxy, of which one polls for all.

use edgeward_kit::host::Host;
use edgeward_kit::host::edge::{NOW, feed, get, keys, rejected, with_feed};
use edgeward_kit::host::follower::{cookie, following, passes, poll, take_poll, with_key};
use edgeward_kit::mint::Key;
use serde_json::json;

// holds: promise 9
#[test]
fn one_worker_polls_and_all_apply_the_feed() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    second.advance(100);
    assert_eq!(second.take_calls().len(), 0);
    assert!(passes(&mut second, &key), "it has the state that the first received");
    let session = json!({"sessions": [[7, NOW + 3600]], "users": []});
    first.advance(1200);
    let (call, _) = take_poll(&mut first);
    first.complete_call(&call, Some(200), &feed(&json!({"revoked": session, "cursor": "c2"})));
    second.advance(1200);
    assert_eq!(second.take_calls().len(), 0);
    assert!(!passes(&mut first, &key) && !passes(&mut second, &key));
}

// holds: promise 9
#[test]
fn another_worker_takes_over_where_the_polling_one_stopped() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    first.advance(1200);
    let (call, _) = take_poll(&mut first);
    second.advance(1300);
    assert_eq!(second.take_calls().len(), 0, "the first still has the lease");
    second.advance(1000);
    let (taken_over, path) = take_poll(&mut second);
    assert_eq!(path, "/internal/edge-feed?after=c1&keys=e1&bans=");
    let session = json!({"sessions": [[7, NOW + 3600]], "users": []});
    second.complete_call(&taken_over, Some(200), &feed(&json!({"revoked": session, "cursor": "c2"})));
    // The first returns. The response that it has received counts for itself alone: it polls for what it missed.
    first.complete_call(&call, Some(200), &feed(&json!({"cursor": "c3"})));
    first.advance(100);
    let (call, path) = take_poll(&mut first);
    assert_eq!(path, "/internal/edge-feed?after=c3&keys=e1&bans=");
    first.complete_call(&call, Some(200), &feed(&json!({"revoked": session, "cursor": "c4"})));
    assert!(!passes(&mut first, &key) && !passes(&mut second, &key));
}

// holds: promise 9
#[test]
fn worker_that_starts_late_or_was_paused_catches_up_completely() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let mut away = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    away.advance(1);
    for number in 2..40 {
        let revoked = json!({"sessions": [[number, NOW + 3600]], "users": []});
        let at = NOW + 3 * number;
        poll(&mut first, &feed(&json!({"at": at, "revoked": revoked, "cursor": format!("c{number}")})));
    }
    first.set_now(NOW + 120);
    let late = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    for (mut host, cursor, etag, now) in [(late, "", "e1", NOW + 120), (away, "c1", "e1", NOW + 130)] {
        // The first renews its lease, so the others do not poll in its place.
        first.set_now(now);
        first.tick();
        for call in first.take_calls() {
            first.complete_call(&call, Some(200), &feed(&json!({"at": now, "cursor": "c39"})));
        }
        host.set_now(now);
        host.advance(100);
        let (call, path) = take_poll(&mut host);
        assert_eq!(path, format!("/internal/edge-feed?after={cursor}&keys={etag}&bans="));
        assert_eq!(passes(&mut host, &key), cursor == "c1", "a worker without a state admits no request");
        let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
        host.complete_call(&call, Some(200), &feed(&json!({"at": now, "revoked": revoked, "cursor": "c39"})));
        assert!(!passes(&mut host, &key));
        let other = format!("access_token={}", key.good_with(NOW, "sid", "41"));
        assert!(get(&mut host, "/orders", &[("cookie", &other)]).upstream.is_some());
        // From here on it applies what the others receive.
        let revoked = json!({"sessions": [[41, NOW + 3600]], "users": []});
        let response = feed(&json!({"at": now, "revoked": revoked, "cursor": "c40"}));
        first.advance(2200);
        for call in first.take_calls() {
            first.complete_call(&call, Some(200), &response);
        }
        host.advance(2200);
        assert_eq!(host.take_calls().len(), 0);
        assert!(get(&mut host, "/orders", &[("cookie", &other)]).upstream.is_none());
    }
}

#[test]
fn new_worker_has_the_keys_of_the_others_with_their_age() {
    let key = Key::generate("a");
    let first = with_key(&key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    assert_eq!(
        rejected(&get(&mut second, "/orders", &[("cookie", &cookie(&key))])),
        (503, "revocations_unknown")
    );
    let denies = following("companion_internal", &json!({"when_stale": "deny", "max_staleness_seconds": 10}));
    let mut third = first.start_beside(&denies).unwrap();
    third.set_now(NOW + 20);
    assert_eq!(rejected(&get(&mut third, "/orders", &[("cookie", &cookie(&key))])), (503, "feed_stale"));
}

/// Starts two workers of one proxy. Both follow the feed; the first has received this key.
fn two_with_key(key: &Key) -> (Host, Host) {
    let first = with_key(key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    second.advance(100);
    (first, second)
}

#[test]
fn two_workers_that_poll_at_once_both_get_every_page() {
    let key = Key::generate("a");
    let mut first = with_feed();
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    first.advance(100);
    let (poll_of_first, _) = take_poll(&mut first);
    // The first has not written for longer than its lease lasts.
    second.advance(1500);
    let (poll_of_second, _) = take_poll(&mut second);
    let page = feed(&json!({"keys": keys("e1", &[&key]), "cursor": "p1", "more": true}));
    first.complete_call(&poll_of_first, Some(200), &page);
    let (call, path) = take_poll(&mut first);
    assert_eq!(path, "/internal/edge-feed?after=p1&keys=e1&bans=");
    first.complete_call(&call, Some(200), &feed(&json!({"cursor": "p2"})));
    second.complete_call(&poll_of_second, Some(200), &page);
    let (call, path) = take_poll(&mut second);
    assert_eq!(
        path, "/internal/edge-feed?after=p1&keys=e1&bans=",
        "it continues, though its page was not stored"
    );
    second.complete_call(&call, Some(200), &feed(&json!({"cursor": "p2"})));
    assert!(passes(&mut first, &key) && passes(&mut second, &key));
}

#[test]
fn response_from_before_a_takeover_hides_no_later_revocation() {
    let key = Key::generate("a");
    let (mut first, mut second) = two_with_key(&key);
    first.advance(1200);
    let (old, _) = take_poll(&mut first);
    second.advance(2500);
    let (call, _) = take_poll(&mut second);
    let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
    second.complete_call(&call, Some(200), &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    // The first receives a token under an unknown key, and then the response from before.
    assert!(!passes(&mut first, &Key::generate("z")));
    first.complete_call(&old, Some(200), &feed(&json!({"cursor": "c1"})));
    first.advance(1400);
    for call in first.take_calls() {
        first.complete_call(&call, Some(200), &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    }
    first.advance(100);
    assert!(!passes(&mut first, &key) && !passes(&mut second, &key));
}

#[test]
fn worker_whose_polls_fail_leaves_them_to_another() {
    let key = Key::generate("a");
    let (mut first, mut second) = two_with_key(&key);
    first.fail("proxy_http_call", 10);
    let mut polls = 0;
    for _ in 0..200 {
        first.advance(100);
        second.advance(100);
        for call in second.take_calls() {
            polls += 1;
            second.complete_call(&call, Some(200), &feed(&json!({"cursor": "c2"})));
        }
    }
    assert!(polls > 5, "{polls} polls in 20 s");
}

#[test]
fn new_worker_whose_poll_fails_admits_no_revoked_session() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
    poll(&mut first, &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    for number in 3..40 {
        let at = NOW + 3 * number;
        poll(&mut first, &feed(&json!({"at": at, "cursor": format!("c{number}")})));
    }
    second.advance(100);
    let (call, _) = take_poll(&mut second);
    second.complete_call(&call, Some(503), b"");
    let waiting = get(&mut second, "/orders", &[("cookie", &cookie(&key))]);
    assert_eq!(rejected(&waiting), (503, "revocations_unknown"));
    second.advance(302_000);
    for call in second.take_calls() {
        second.complete_call(&call, Some(503), b"");
    }
    assert!(passes(&mut second, &key), "after max_staleness_seconds, when_stale decides");
}

#[test]
fn age_of_the_feed_is_that_of_the_worker_that_hears_nothing() {
    let key = Key::generate("a");
    let (mut first, mut second) = two_with_key(&key);
    let age = |host: &Host| host.counter("edgeward_feed_age_seconds");
    second.fail("proxy_http_call", 10);
    for number in 2..42 {
        poll(&mut first, &feed(&json!({"at": NOW + 2 * number, "cursor": format!("c{number}")})));
    }
    assert!(age(&first) >= 80, "the second has been away for {} s", age(&first));
    second.set_now(NOW + 90);
    second.advance(100);
    assert!(age(&second) >= 80, "it has missed too much, and reaches no companion: {} s", age(&second));
    first.advance(2000);
    assert!(age(&first) >= 80, "{} s", age(&first));
    second.end_plugin(1);
    first.advance(2000);
    assert!(age(&first) < 10, "a worker that has ended does not count: {} s", age(&first));
}

#[test]
fn build_is_a_metric_with_its_version_and_commit() {
    let host = with_feed();
    let start = format!("edgeward_build_info.version.{}+", env!("CARGO_PKG_VERSION"));
    let name = host.metrics().find(|name| name.starts_with(&start)).unwrap();
    assert_eq!(host.counter(name), 1);
    assert_ne!(name, start);
}
