//! The compiled filter and the edge feed: what it makes of every answer, alone and with the proxy's other workers.

use edgeward_tests::host::edge::{ENVOY, NOW, configuration, feed, get, keys, refused, upstream, with_feed};
use edgeward_tests::host::{Call, Host};
use edgeward_tests::mint::{self, Key};
use serde_json::{Value, json};

fn cookie(key: &Key) -> String {
    format!("access_token={}", key.good(NOW))
}

fn passes(host: &mut Host, key: &Key) -> bool {
    get(host, "/orders", &[("cookie", &cookie(key))]).upstream.is_some()
}

/// A configuration that follows this cluster's feed.
fn following(cluster: &str, more: &Value) -> String {
    let mut feed = json!({"cluster": cluster});
    feed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    configuration(&json!({"feed": feed}))
}

/// The one call that was made, and what it asked.
fn take_call(host: &mut Host) -> (Call, String) {
    let calls = host.take_calls();
    let [call] = &calls[..] else { panic!("{} calls", calls.len()) };
    let (_, path) = call.headers.iter().find(|(name, _)| name == b":path").unwrap();
    (call.clone(), String::from_utf8(path.clone()).unwrap())
}

/// A poll that is due, answered. Gives what was asked.
fn poll(host: &mut Host, answer: &[u8]) -> String {
    host.pass(2200);
    let (call, asked) = take_call(host);
    host.answer(&call, Some(200), answer);
    asked
}

/// A worker that has heard of this key as `e1`, and goes on at `c1`.
fn with_key(key: &Key) -> Host {
    let mut host = with_feed();
    assert_eq!(
        poll(&mut host, &feed(&json!({"keys": keys("e1", &[key])}))),
        "/internal/edge-feed?after=&keys="
    );
    host
}

#[test]
fn what_the_feed_told_is_good_for_as_long_as_the_configuration_says() {
    let key = Key::generate("a");
    let cookie = cookie(&key);
    for (when_stale, expected) in [("allow", None), ("deny", Some((503, "feed_stale")))] {
        let answer = feed(&json!({"keys": keys("e1", &[&key])}));
        let stale = json!({"max_staleness_seconds": 10, "when_stale": when_stale});
        let mut host = Host::start(ENVOY, &following("c", &stale)).unwrap();
        host.tick();
        let (call, _) = take_call(&mut host);
        host.answer(&call, Some(200), &answer);
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
    let mut host = with_feed();
    let waiting = get(&mut host, "/orders", &[("cookie", &cookie(&key))]);
    assert_eq!(refused(&waiting), (503, "keys_unknown"));
    assert!(waiting.answer.unwrap().headers.contains(&(b"retry-after".to_vec(), b"1".to_vec())));
    assert!(get(&mut host, "/public/", &[]).upstream.is_some());

    host.tick();
    host.pass(100);
    let (call, asked) = take_call(&mut host);
    assert_eq!(
        (call.cluster.as_str(), asked.as_str()),
        ("companion_internal", "/internal/edge-feed?after=&keys=")
    );
    host.answer(&call, Some(200), &feed(&json!({"keys": keys("e1", &[&key])})));
    assert_eq!(upstream(&get(&mut host, "/orders", &[("cookie", &cookie(&key))]))[1], "x-user-id: 42");
}

#[test]
fn what_was_revoked_is_refused_from_the_answer_on_though_it_was_seen_before() {
    let key = Key::generate("a");
    let mut host = with_key(&key);
    let admin = format!("access_token={}", key.good_with(NOW, "sid", "8"));
    let mut check = |told: Value, asked: &str, expected: [Option<&str>; 2]| {
        assert_eq!(poll(&mut host, &feed(&told)), asked);
        for (cookie, expected) in [&cookie(&key), &admin].into_iter().zip(expected) {
            for path in ["/orders", "/public/"] {
                let exchange = get(&mut host, path, &[("cookie", cookie)]);
                match (path, expected) {
                    ("/orders", Some(label)) => assert_eq!(refused(&exchange), (401, label), "{told}"),
                    ("/public/", Some(_)) => assert_eq!(upstream(&exchange), [""; 0]),
                    _ => assert_eq!(upstream(&exchange)[1], "x-user-id: 42"),
                }
            }
        }
    };
    let until = NOW + 3600;
    check(json!({}), "/internal/edge-feed?after=c1&keys=e1", [None, None]);
    let session = json!({"sessions": [[7, until]], "users": []});
    check(
        json!({"revoked": session, "cursor": "c2"}),
        "/internal/edge-feed?after=c1&keys=e1",
        [Some("session_ended"), None],
    );
    let others = json!({"sessions": [[6, until]], "users": [[41, NOW + 1, until], [42, NOW, until]]});
    check(
        json!({"revoked": others, "cursor": "c3"}),
        "/internal/edge-feed?after=c2&keys=e1",
        [Some("session_ended"), None],
    );
    let user = json!({"sessions": [], "users": [[42, NOW + 1, until]]});
    check(
        json!({"revoked": user, "cursor": "c4"}),
        "/internal/edge-feed?after=c3&keys=e1",
        [Some("session_ended"), Some("token_outdated")],
    );
    assert_eq!(host.counter("edgeward_refused.reason.session_ended"), 3);
}

#[test]
fn nobody_passes_before_the_last_page_of_what_was_revoked_is_heard() {
    let key = Key::generate("a");
    let mut host = with_feed();
    host.tick();
    let pages = [
        ("c1", true, "/internal/edge-feed?after=&keys="),
        ("c2", true, "/internal/edge-feed?after=c1&keys=e1"),
    ];
    for (cursor, more, expected) in pages {
        let (call, asked) = take_call(&mut host);
        assert_eq!(asked, expected);
        let keys = if cursor == "c1" { keys("e1", &[&key]) } else { json!({"etag": "e1"}) };
        host.answer(&call, Some(200), &feed(&json!({"keys": keys, "cursor": cursor, "more": more})));
        let exchange = get(&mut host, "/orders", &[("cookie", &cookie(&key))]);
        assert_eq!(refused(&exchange), (503, "revocations_unknown"));
    }
    let (call, asked) = take_call(&mut host);
    assert_eq!(asked, "/internal/edge-feed?after=c2&keys=e1");
    host.answer(&call, Some(200), &feed(&json!({"cursor": "c3"})));
    assert!(passes(&mut host, &key));
}

#[test]
fn where_the_feed_fails_at_the_start_the_configured_keys_count_unless_stale_ones_are_denied() {
    let key = Key::generate("a");
    for (when_stale, expected) in [("allow", true), ("deny", false)] {
        let feed = json!({"cluster": "c", "when_stale": when_stale});
        let inline = json!({"inline": mint::jwks(&[&key])});
        let mut host = Host::start(ENVOY, &configuration(&json!({"feed": feed, "keys": inline}))).unwrap();
        assert!(!passes(&mut host, &key), "what was revoked is not known yet");
        host.tick();
        let (call, _) = take_call(&mut host);
        host.answer(&call, None, b"");
        assert_eq!(passes(&mut host, &key), expected, "{when_stale}");
    }
}

#[test]
fn the_last_good_state_stays_whatever_the_feed_says() {
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
        host.pass(2200);
        let (call, asked) = take_call(&mut host);
        assert_eq!(asked, "/internal/edge-feed?after=c1&keys=e1", "{status:?} {reason}");
        host.answer(&call, status, &body);
        assert!(passes(&mut host, &key), "{status:?} {reason}");
        assert_eq!(host.counter(&counter), before + 1, "{status:?} {reason}");
    }
    // A call that is never answered is given up, and its late answer is not taken for another's.
    host.pass(2200);
    let (lost, _) = take_call(&mut host);
    host.pass(2100);
    assert_eq!(host.counter("edgeward_feed_failed.reason.lost"), 1);
    host.pass(2200);
    let (call, _) = take_call(&mut host);
    host.answer(&lost, Some(500), b"");
    let at = NOW + 40;
    host.answer(&call, Some(200), &feed(&json!({"at": at, "keys": keys("e2", &[&next])})));
    assert_eq!(refused(&get(&mut host, "/orders", &[("cookie", &cookie(&key))])), (401, "kid_unknown"));
    let failures = host.log().iter().filter(|line| line.contains("failed")).count();
    assert_eq!(failures, 1, "a lasting failure is logged once: {:?}", host.log());
}

#[test]
fn a_feed_that_fails_is_asked_less_often_and_the_age_of_what_it_told_is_shown() {
    let mut host = with_key(&Key::generate("a"));
    let mut asked = 0;
    for _ in 0..600 {
        host.pass(100);
        for call in host.take_calls() {
            asked += 1;
            host.answer(&call, Some(503), b"");
        }
    }
    assert!((20..40).contains(&asked), "{asked} calls in a minute");
    assert!((59..=60).contains(&host.counter("edgeward_feed_age_seconds")));
    assert_eq!(host.counter("edgeward_keys"), 1);
}

#[test]
fn a_token_under_an_unknown_key_has_the_feed_asked_at_once_but_not_once_a_token() {
    let (key, next) = (Key::generate("a"), Key::generate("b"));
    let mut host = with_key(&key);
    assert!(!passes(&mut host, &next));
    // A page is sent to log in, for the same reason.
    let page = get(&mut host, "/orders", &[("cookie", &cookie(&next)), ("sec-fetch-mode", "navigate")]);
    assert_eq!(refused(&page), (302, "kid_unknown"));
    host.pass(1);
    let (call, _) = take_call(&mut host);
    host.answer(&call, Some(200), &feed(&json!({"keys": keys("e2", &[&key, &next])})));
    assert!(passes(&mut host, &next));
    let unknown = Key::generate("c");
    for _ in 0..40 {
        assert!(!passes(&mut host, &unknown));
        host.pass(10);
    }
    assert_eq!(host.take_calls().len(), 0, "not again within five seconds");
}

#[test]
fn answers_that_come_twice_late_or_from_nowhere_change_nothing() {
    let (key, other) = (Key::generate("a"), Key::generate("b"));
    let told = |etag: &str, key: &Key| feed(&json!({"keys": keys(etag, &[key])}));
    let mut host = with_feed();
    host.tick();
    let (call, _) = take_call(&mut host);
    host.answer(&call, Some(200), &told("e1", &key));
    host.answer(&call, Some(200), &told("e2", &other));
    host.answer(&Call { token: 4711, ..call.clone() }, Some(200), &told("e3", &other));
    host.pass(2200);
    let (late, _) = take_call(&mut host);
    host.pass(60_000);
    host.answer(&late, Some(200), &told("e4", &other));
    assert!(passes(&mut host, &key));
}

#[test]
fn one_worker_asks_and_all_hear() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    second.pass(100);
    assert_eq!(second.take_calls().len(), 0);
    assert!(passes(&mut second, &key), "it has heard what the first was told");
    let session = json!({"sessions": [[7, NOW + 3600]], "users": []});
    first.pass(1200);
    let (call, _) = take_call(&mut first);
    first.answer(&call, Some(200), &feed(&json!({"revoked": session, "cursor": "c2"})));
    second.pass(1200);
    assert_eq!(second.take_calls().len(), 0);
    assert!(!passes(&mut first, &key) && !passes(&mut second, &key));
}

#[test]
fn when_the_worker_that_asks_is_gone_another_goes_on_where_it_was() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    first.pass(1200);
    let (call, _) = take_call(&mut first);
    second.pass(1300);
    assert_eq!(second.take_calls().len(), 0, "the first has said that it is alive");
    second.pass(1000);
    let (taken_over, asked) = take_call(&mut second);
    assert_eq!(asked, "/internal/edge-feed?after=c1&keys=e1");
    let session = json!({"sessions": [[7, NOW + 3600]], "users": []});
    second.answer(&taken_over, Some(200), &feed(&json!({"revoked": session, "cursor": "c2"})));
    // The first comes back, and what it was told meanwhile counts for itself alone: it asks for what it missed.
    first.answer(&call, Some(200), &feed(&json!({"cursor": "c3"})));
    first.pass(100);
    let (call, asked) = take_call(&mut first);
    assert_eq!(asked, "/internal/edge-feed?after=c3&keys=e1");
    first.answer(&call, Some(200), &feed(&json!({"revoked": session, "cursor": "c4"})));
    assert!(!passes(&mut first, &key) && !passes(&mut second, &key));
}

#[test]
fn a_worker_that_comes_late_or_was_away_too_long_catches_up_by_itself_and_misses_nothing() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let mut away = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    away.pass(1);
    for number in 2..40 {
        let revoked = json!({"sessions": [[number, NOW + 3600]], "users": []});
        let at = NOW + 3 * number;
        poll(&mut first, &feed(&json!({"at": at, "revoked": revoked, "cursor": format!("c{number}")})));
    }
    first.set_now(NOW + 120);
    let late = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    for (mut host, cursor, etag, now) in [(late, "", "e1", NOW + 120), (away, "c1", "e1", NOW + 130)] {
        // The first is alive all the while, so it is never the others' turn to ask.
        first.set_now(now);
        first.tick();
        for call in first.take_calls() {
            first.answer(&call, Some(200), &feed(&json!({"at": now, "cursor": "c39"})));
        }
        host.set_now(now);
        host.pass(100);
        let (call, asked) = take_call(&mut host);
        assert_eq!(asked, format!("/internal/edge-feed?after={cursor}&keys={etag}"));
        assert_eq!(passes(&mut host, &key), cursor == "c1", "who has never heard the feed lets nobody pass");
        let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
        host.answer(&call, Some(200), &feed(&json!({"at": now, "revoked": revoked, "cursor": "c39"})));
        assert!(!passes(&mut host, &key));
        let other = format!("access_token={}", key.good_with(NOW, "sid", "41"));
        assert!(get(&mut host, "/orders", &[("cookie", &other)]).upstream.is_some());
        // From here on it hears with the others again.
        let revoked = json!({"sessions": [[41, NOW + 3600]], "users": []});
        let told = feed(&json!({"at": now, "revoked": revoked, "cursor": "c40"}));
        first.pass(2200);
        for call in first.take_calls() {
            first.answer(&call, Some(200), &told);
        }
        host.pass(2200);
        assert_eq!(host.take_calls().len(), 0);
        assert!(get(&mut host, "/orders", &[("cookie", &other)]).upstream.is_none());
    }
}

#[test]
fn a_change_of_configuration_refuses_nobody_meanwhile_and_forgets_nothing() {
    let key = Key::generate("a");
    let mut host = with_key(&key);
    let other = format!("access_token={}", key.good_with(NOW, "sid", "8"));
    let revoked = json!({"sessions": [[8, NOW + 3600]], "users": []});
    poll(&mut host, &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    for more in [json!({"poll_ms": 500}), json!({"timeout_ms": 200}), json!({})] {
        host.reconfigure(&following("companion_internal", &more));
        assert!(passes(&mut host, &key), "{more}");
        assert_eq!(
            refused(&get(&mut host, "/orders", &[("cookie", &other)])),
            (401, "session_ended"),
            "{more}"
        );
        let told = feed(&json!({"cursor": "c2"}));
        assert_eq!(poll(&mut host, &told), "/internal/edge-feed?after=c2&keys=e1", "{more}");
    }
    host.reconfigure(&following("elsewhere", &json!({})));
    assert!(!passes(&mut host, &key), "the keys of another feed are not taken");
}

#[test]
fn a_new_worker_has_the_keys_of_the_others_with_their_age() {
    let key = Key::generate("a");
    let first = with_key(&key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    assert_eq!(
        refused(&get(&mut second, "/orders", &[("cookie", &cookie(&key))])),
        (503, "revocations_unknown")
    );
    let denies = following("companion_internal", &json!({"when_stale": "deny", "max_staleness_seconds": 10}));
    let mut third = first.start_beside(&denies).unwrap();
    third.set_now(NOW + 20);
    assert_eq!(refused(&get(&mut third, "/orders", &[("cookie", &cookie(&key))])), (503, "feed_stale"));
}

#[test]
fn the_feed_is_asked_with_its_secret_where_it_has_one() {
    let mut host = Host::start(ENVOY, &following("c", &json!({"secret": "hunter2"}))).unwrap();
    host.tick();
    let (call, _) = take_call(&mut host);
    assert!(call.headers.contains(&(b"authorization".to_vec(), b"Bearer hunter2".to_vec())));
    assert!(!host.log().iter().any(|line| line.contains("hunter2")));
}

/// Two workers of one proxy, of which the first has heard of this key and both follow.
fn two_with_key(key: &Key) -> (Host, Host) {
    let first = with_key(key);
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    second.pass(100);
    (first, second)
}

#[test]
fn of_two_workers_that_ask_at_once_both_hear_every_page() {
    let key = Key::generate("a");
    let mut first = with_feed();
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    first.pass(100);
    let (asked_by_first, _) = take_call(&mut first);
    // The first has not been alive for longer than its turn lasts.
    second.pass(1500);
    let (asked_by_second, _) = take_call(&mut second);
    let page = feed(&json!({"keys": keys("e1", &[&key]), "cursor": "p1", "more": true}));
    first.answer(&asked_by_first, Some(200), &page);
    let (call, asked) = take_call(&mut first);
    assert_eq!(asked, "/internal/edge-feed?after=p1&keys=e1");
    first.answer(&call, Some(200), &feed(&json!({"cursor": "p2"})));
    second.answer(&asked_by_second, Some(200), &page);
    let (call, asked) = take_call(&mut second);
    assert_eq!(asked, "/internal/edge-feed?after=p1&keys=e1", "it goes on, though its page was not left");
    second.answer(&call, Some(200), &feed(&json!({"cursor": "p2"})));
    assert!(passes(&mut first, &key) && passes(&mut second, &key));
}

#[test]
fn a_clock_that_is_set_back_neither_stops_the_polls_nor_makes_old_news_young() {
    let key = Key::generate("a");
    let denies = following("c", &json!({"when_stale": "deny", "max_staleness_seconds": 10}));
    let mut host = Host::start(ENVOY, &denies).unwrap();
    poll(&mut host, &feed(&json!({"keys": keys("e1", &[&key])})));
    host.set_now(NOW - 600);
    let mut asked = 0;
    for _ in 0..120 {
        host.pass(100);
        asked += host.take_calls().into_iter().map(|call| host.answer(&call, Some(503), b"")).count();
    }
    assert!(asked > 3, "{asked} polls in 12 s");
    let stale = get(&mut host, "/orders", &[("cookie", &cookie(&key))]);
    assert_eq!(refused(&stale), (503, "feed_stale"));
}

#[test]
fn an_answer_from_before_a_takeover_does_not_hide_what_another_worker_heard_since() {
    let key = Key::generate("a");
    let (mut first, mut second) = two_with_key(&key);
    first.pass(1200);
    let (old, _) = take_call(&mut first);
    second.pass(2500);
    let (call, _) = take_call(&mut second);
    let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
    second.answer(&call, Some(200), &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    // The first wakes up to a token under an unknown key, and then to its answer from before.
    assert!(!passes(&mut first, &Key::generate("z")));
    first.answer(&old, Some(200), &feed(&json!({"cursor": "c1"})));
    first.pass(1400);
    for call in first.take_calls() {
        first.answer(&call, Some(200), &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    }
    first.pass(100);
    assert!(!passes(&mut first, &key) && !passes(&mut second, &key));
}

#[test]
fn a_worker_whose_polls_fail_leaves_its_turn_to_another() {
    let key = Key::generate("a");
    let (mut first, mut second) = two_with_key(&key);
    first.fail("proxy_http_call", 10);
    let mut asked = 0;
    for _ in 0..200 {
        first.pass(100);
        second.pass(100);
        for call in second.take_calls() {
            asked += 1;
            second.answer(&call, Some(200), &feed(&json!({"cursor": "c2"})));
        }
    }
    assert!(asked > 5, "{asked} polls in 20 s");
}

#[test]
fn a_new_worker_that_fails_at_first_does_not_let_in_whom_the_others_refuse() {
    let key = Key::generate("a");
    let mut first = with_key(&key);
    let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
    poll(&mut first, &feed(&json!({"revoked": revoked, "cursor": "c2"})));
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    for number in 3..40 {
        let at = NOW + 3 * number;
        poll(&mut first, &feed(&json!({"at": at, "cursor": format!("c{number}")})));
    }
    second.pass(100);
    let (call, _) = take_call(&mut second);
    second.answer(&call, Some(503), b"");
    let waiting = get(&mut second, "/orders", &[("cookie", &cookie(&key))]);
    assert_eq!(refused(&waiting), (503, "revocations_unknown"));
    second.pass(302_000);
    for call in second.take_calls() {
        second.answer(&call, Some(503), b"");
    }
    assert!(passes(&mut second, &key), "after max_staleness_seconds, when_stale decides");
}

#[test]
fn one_answer_by_a_clock_that_runs_ahead_hides_none_that_follow() {
    let key = Key::generate("a");
    let mut host = with_feed();
    poll(&mut host, &feed(&json!({"at": NOW + 59, "keys": keys("e1", &[&key])})));
    let revoked = json!({"sessions": [[7, NOW + 3600]], "users": []});
    poll(&mut host, &feed(&json!({"at": NOW + 4, "revoked": revoked, "cursor": "c2"})));
    assert!(!passes(&mut host, &key));
}

#[test]
fn what_one_configuration_lets_pass_another_may_deny() {
    let key = Key::generate("a");
    let inline = json!({"inline": mint::jwks(&[&key])});
    let with = |when_stale: &str| {
        configuration(&json!({"keys": inline, "feed": {"cluster": "c", "when_stale": when_stale}}))
    };
    let mut host = Host::start(ENVOY, &with("allow")).unwrap();
    host.tick();
    let (call, _) = take_call(&mut host);
    host.answer(&call, Some(503), b"");
    assert!(passes(&mut host, &key));
    host.reconfigure(&with("deny"));
    assert!(!passes(&mut host, &key));
}

#[test]
fn keys_that_are_configured_while_the_feed_is_down_are_taken() {
    let key = Key::generate("a");
    let mut host = with_feed();
    host.tick();
    let (call, _) = take_call(&mut host);
    host.answer(&call, Some(503), b"");
    let rescue = json!({"feed": {"cluster": "companion_internal"}, "keys": {"inline": mint::jwks(&[&key])}});
    host.reconfigure(&configuration(&rescue));
    assert!(passes(&mut host, &key));
}

#[test]
fn a_feed_that_nobody_followed_for_a_while_is_heard_anew() {
    let key = Key::generate("a");
    let with = |cluster: &str| {
        configuration(&json!({"feed": {"cluster": cluster}, "refresh": {"cluster": cluster}}))
    };
    let mut host = Host::start(ENVOY, &with("x")).unwrap();
    poll(&mut host, &feed(&json!({"keys": keys("e1", &[&key])})));
    let head = [(":method", "GET"), (":path", "/orders"), ("cookie", "refresh_token=r")];
    let stream = host.open(edgeward_tests::host::edge::headers(&head));
    host.end(stream);
    host.reconfigure(&with("y"));
    host.reconfigure(&with("x"));
    assert!(!passes(&mut host, &key), "nothing is kept alive by a call that was never answered");
}
