//! The compiled filter and its host: what it makes of the edge feed, of its workers, and of a host that fails it.

use edgeward_tests::host::edge::{ENVOY, NOW, configuration, get, headers, refused, upstream, with_feed};
use edgeward_tests::host::{CALLS, Call, Host, Traits};
use edgeward_tests::mint::{self, Key};
use serde_json::{Value, json};

/// What hosts answer with: the ABI's statuses, and what it has no name for.
const STATUSES: [u32; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99, u32::MAX];

#[test]
fn what_the_feed_told_is_good_for_as_long_as_the_configuration_says() {
    let key = Key::generate("a");
    let cookie = format!("access_token={}", key.good(NOW));
    for (when_stale, expected) in [("allow", None), ("deny", Some((503, "feed_stale")))] {
        let feed = json!({"cluster": "c", "max_staleness_seconds": 10, "when_stale": when_stale});
        let keys = json!({"inline": mint::jwks(&[&key])});
        let mut host = Host::start(ENVOY, &configuration(&json!({"feed": feed, "keys": keys}))).unwrap();
        for (now, stale) in [(NOW + 10, false), (NOW + 11, true)] {
            host.set_now(now);
            let exchange = get(&mut host, "/orders", &[("cookie", &cookie)]);
            match expected.filter(|_| stale) {
                Some(expected) => assert_eq!(refused(&exchange), expected),
                None => assert!(exchange.upstream.is_some(), "{when_stale} {now}: {exchange:?}"),
            }
        }
    }
}

#[test]
fn without_a_key_protected_routes_answer_503_until_the_feed_brings_one() {
    let key = Key::generate("a");
    let cookie = format!("access_token={}", key.good(NOW));
    let mut host = with_feed();
    let waiting = get(&mut host, "/orders", &[("cookie", &cookie)]);
    assert_eq!(refused(&waiting), (503, "keys_unknown"));
    assert!(waiting.answer.unwrap().headers.contains(&(b"retry-after".to_vec(), b"1".to_vec())));
    assert!(get(&mut host, "/public/", &[]).upstream.is_some());

    host.tick();
    host.tick();
    let [call] = &host.take_calls()[..] else { panic!("one call at a time") };
    assert_eq!(call.cluster, "companion_internal");
    assert!(call.headers.contains(&(b":path".to_vec(), b"/internal/edge-feed?keys=".to_vec())));
    let feed = json!({"keys": {"etag": "e1", "set": mint::jwks(&[&key])}}).to_string();
    host.answer(call, Some(200), feed.as_bytes());
    assert_eq!(upstream(&get(&mut host, "/orders", &[("cookie", &cookie)]))[1], "x-user-id: 42");
}

#[test]
fn the_last_good_keys_stay_whatever_the_feed_says() {
    let (key, next) = (Key::generate("a"), Key::generate("b"));
    let cookie = format!("access_token={}", key.good(NOW));
    let mut host = with_feed();
    let poll = |host: &mut Host, now: u64| {
        host.set_now(now);
        host.tick();
        host.take_calls().pop().unwrap_or_else(|| panic!("no call at {now}"))
    };
    let call = poll(&mut host, NOW);
    host.answer(
        &call,
        Some(200),
        json!({"keys": {"etag": "e1", "set": mint::jwks(&[&key])}}).to_string().as_bytes(),
    );
    let weak = json!({"keys": {"etag": "e2", "set": {"keys": [{"kty": "RSA", "kid": "w", "n": "AQAB", "e": "AQAB"}]}}});
    for (status, body) in [
        (Some(200), r#"{"keys":{"etag":"e1"}}"#.to_owned()),
        (Some(500), String::new()),
        (None, String::new()),
        (Some(200), String::new()),
        (Some(200), "{}".to_owned()),
        (Some(200), json!({"keys": {"etag": "e2", "set": {"keys": []}}}).to_string()),
        (Some(200), weak.to_string()),
        (Some(200), "x".repeat(300_000)),
    ] {
        let call = poll(&mut host, NOW);
        assert!(call.headers.contains(&(b":path".to_vec(), b"/internal/edge-feed?keys=e1".to_vec())));
        host.answer(&call, status, body.as_bytes());
        assert!(get(&mut host, "/orders", &[("cookie", &cookie)]).upstream.is_some(), "{status:?} {body}");
    }
    // A call that is never answered is given up, and its late answer is not taken for another's.
    let lost = poll(&mut host, NOW);
    let call = poll(&mut host, NOW + 3);
    host.answer(&lost, Some(500), b"");
    host.answer(
        &call,
        Some(200),
        json!({"keys": {"etag": "e2", "set": mint::jwks(&[&next])}}).to_string().as_bytes(),
    );
    assert_eq!(refused(&get(&mut host, "/orders", &[("cookie", &cookie)])), (401, "kid_unknown"));
    let failures = host.log().iter().filter(|line| line.contains("failed")).count();
    assert_eq!(failures, 1, "a lasting failure is logged once: {:?}", host.log());
}

#[test]
fn whatever_a_host_answers_nothing_forged_or_unjudged_passes() {
    let key = Key::generate("a");
    let ours = format!("a=1; access_token={}; refresh_token=r", key.good(NOW));
    let inline = configuration(&json!({"keys": {"inline": mint::jwks(&[&key])}, "feed": {"cluster": "c"}}));
    for call in CALLS {
        for status in STATUSES {
            let mut host = Host::start(ENVOY, &inline).unwrap();
            host.fail(call, status);
            host.tick();
            for call in host.take_calls() {
                host.answer(&call, Some(200), b"{}");
            }
            for (path, cookie) in
                [("/orders", ours.as_str()), ("/orders", ""), ("/public/", ours.as_str()), ("/a//b", "")]
            {
                let forged = [("cookie", cookie), ("x-user-id", "1"), ("x_user_role", "admin")];
                let exchange = get(&mut host, path, &forged);
                let Some(passed) = exchange.upstream else { continue };
                assert!(
                    path == "/public/" || path == "/orders" && !cookie.is_empty(),
                    "{call} {status} {path}"
                );
                for (name, value) in passed {
                    let (name, value) = (String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap());
                    assert!(!value.contains("_token"), "{call} {status}: {name}: {value}");
                    assert!(
                        name != "x_user_role" && (name != "x-user-id" || value == "42"),
                        "{call} {status}: {name}: {value}"
                    );
                }
            }
            let trailers = host.trailers(headers(&[("x-user-id", "1")])).unwrap_or_default();
            assert!(trailers.is_empty(), "{call} {status}");
        }
    }
}

#[test]
fn a_host_that_fails_at_the_start_is_given_no_filter_or_one_that_refuses() {
    for call in CALLS {
        for status in STATUSES {
            let traits = Traits { fault: Some((call, status)), ..ENVOY };
            let Ok(mut host) = Host::start(traits, &configuration(&json!({"feed": {"cluster": "c"}}))) else {
                continue;
            };
            host.tick();
            assert!(
                get(&mut host, "/orders", &[("cookie", "access_token=x")]).upstream.is_none(),
                "{call} {status}"
            );
        }
    }
}

#[test]
fn answers_that_come_twice_late_or_from_nowhere_change_nothing() {
    let (key, other) = (Key::generate("a"), Key::generate("b"));
    let cookie = format!("access_token={}", key.good(NOW));
    let feed = |etag: &str, key: &Key| json!({"keys": {"etag": etag, "set": mint::jwks(&[key])}}).to_string();
    let mut host = with_feed();
    host.tick();
    let call = host.take_calls().pop().unwrap();
    host.answer(&call, Some(200), feed("e1", &key).as_bytes());
    host.answer(&call, Some(200), feed("e2", &other).as_bytes());
    host.answer(&Call { token: 4711, ..call.clone() }, Some(200), feed("e3", &other).as_bytes());
    host.tick();
    let late = host.take_calls().pop().unwrap();
    host.set_now(NOW + 60);
    host.tick();
    host.answer(&late, Some(200), feed("e4", &other).as_bytes());
    assert!(get(&mut host, "/orders", &[("cookie", &cookie)]).upstream.is_some());
}

#[test]
fn a_change_of_configuration_and_a_new_worker_refuse_nobody_meanwhile() {
    let (key, next) = (Key::generate("a"), Key::generate("b"));
    let cookie = |key: &Key| format!("access_token={}", key.good(NOW));
    let feed = |etag: &str, key: &Key| json!({"keys": {"etag": etag, "set": mint::jwks(&[key])}}).to_string();
    let passes =
        |host: &mut Host, key: &Key| get(host, "/orders", &[("cookie", &cookie(key))]).upstream.is_some();
    let by_feed = |cluster: &str, more: Value| {
        let mut feed = json!({"cluster": cluster});
        feed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        configuration(&json!({"feed": feed}))
    };
    let mut first = Host::start(ENVOY, &by_feed("companion", json!({}))).unwrap();
    first.tick();
    let call = first.take_calls().pop().unwrap();
    first.answer(&call, Some(200), feed("e1", &key).as_bytes());

    let mut reloaded = first.start_beside(&by_feed("companion", json!({"poll_ms": 500}))).unwrap();
    assert!(passes(&mut reloaded, &key), "what the plugin before was told is still known");
    reloaded.tick();
    let call = reloaded.take_calls().pop().unwrap();
    assert!(call.headers.contains(&(b":path".to_vec(), b"/internal/edge-feed?keys=e1".to_vec())));
    reloaded.answer(&call, Some(200), feed("e2", &next).as_bytes());
    assert!(passes(&mut reloaded.start_beside(&by_feed("companion", json!({}))).unwrap(), &next));

    let mut other = reloaded.start_beside(&by_feed("elsewhere", json!({}))).unwrap();
    assert!(!passes(&mut other, &next), "the keys of another feed are not taken");

    let denies = by_feed("companion", json!({"when_stale": "deny", "max_staleness_seconds": 10}));
    reloaded.set_now(NOW + 11);
    assert!(!passes(&mut reloaded.start_beside(&denies).unwrap(), &next), "what is inherited keeps its age");
}
