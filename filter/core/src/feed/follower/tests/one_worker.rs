//! One worker and its polls: when it makes them, and what it makes of every outcome.

use super::*;
use crate::config;
use edgeward_wire::VERSION;

/// Starts a worker that has polled once.
fn synced() -> Proxy {
    let mut proxy = Proxy::with_workers(1);
    proxy.serve(&[0], 100);
    proxy
}

#[test]
fn first_poll_is_made_at_the_first_tick_and_has_the_secret() {
    let text = br#"{"issuer": "edgeward", "feed": {"cluster": "c", "path": "/f", "secret": "hunter2", "timeout_ms": 50}}"#;
    let mut proxy = Proxy::with(config::compile(text).unwrap().feed.unwrap(), 1);
    proxy.tick(0);
    let expected = HttpCall {
        cluster: "c".into(),
        method: "GET",
        path: "/f?after=&keys=&bans=".into(),
        headers: vec![
            ("user-agent", format!("edgeward-filter/{VERSION}").into_bytes()),
            ("authorization", b"Bearer hunter2".to_vec()),
        ],
        timeout: Duration::from_millis(50),
    };
    assert_eq!(proxy.workers[0].call, Some(expected));
    proxy.respond(0, &CallOutcome::NoResponse);
    let worker = &proxy.workers[0];
    assert!(!format!("{:?} {:?}", worker.log, worker.follower).contains("hunter2"));
}

#[test]
fn every_page_is_requested_at_once_until_the_last() {
    let mut proxy = Proxy::with_workers(1);
    proxy.companion.revoked = vec![1, 2, 3];
    proxy.companion.page = 1;
    proxy.tick(0);
    for path in ["after=&keys=&bans=", "after=c1&keys=e1&bans=", "after=c2&keys=e1&bans="] {
        assert!(!proxy.workers[0].admits(8), "a page is missing");
        assert_eq!(proxy.workers[0].call.as_ref().unwrap().path, format!("/internal/edge-feed?{path}"));
        let response = proxy.response(0);
        proxy.deliver(0, &response);
    }
    assert!(proxy.workers[0].call.is_none() && proxy.workers[0].admits(8) && !proxy.workers[0].admits(3));
    assert_eq!(proxy.workers[0].log, ["edgeward: keys: e1"]);
}

#[test]
fn failed_poll_keeps_the_state_and_is_counted_by_reason() {
    let mut proxy = synced();
    let not_json = CallOutcome::Response { status: b"200", body: b"{}" };
    let too_long = vec![b'x'; 1 << 20];
    for (outcome, reason) in [
        (CallOutcome::NoResponse, "no_answer"),
        (CallOutcome::NotAccepted, "not_taken"),
        (CallOutcome::Response { status: b"500", body: b"" }, "status"),
        (CallOutcome::Response { status: b"", body: b"" }, "status"),
        (not_json, "malformed"),
        (CallOutcome::Response { status: b"200", body: &too_long }, "oversize"),
    ] {
        assert_eq!(proxy.advance_to_poll(0), "/internal/edge-feed?after=c0&keys=e1&bans=");
        proxy.respond(0, &outcome);
        assert_eq!(proxy.workers[0].failures.last(), Some(&reason), "{outcome:?}");
        assert!(proxy.workers[0].admits(8), "{outcome:?}");
    }
    proxy.serve(&[0], 2300);
    let log = &proxy.workers[0].log;
    assert_eq!(log.len(), 3, "a lasting failure is logged once, and its end: {log:?}");
    assert!(log[1].contains("companion_internal failed") && log[1].contains("no response"), "{log:?}");
    assert!(log[2].contains("responds again"), "{log:?}");
}

#[test]
fn nothing_is_served_before_the_host_accepts_a_first_poll() {
    for (outcome, syncing) in [(CallOutcome::NotAccepted, true), (CallOutcome::NoResponse, false)] {
        let mut proxy = Proxy::with_workers(1);
        proxy.tick(0);
        proxy.respond(0, &outcome);
        assert_eq!(proxy.workers[0].state.is_syncing(), syncing, "{outcome:?}");
    }
}

#[test]
fn call_without_an_outcome_is_cancelled_a_second_after_its_timeout() {
    let mut proxy = synced();
    proxy.advance_to_poll(0);
    let late = proxy.response(0);
    proxy.advance(&[0], 1900);
    assert!(proxy.workers[0].call.is_some());
    proxy.advance(&[0], 100);
    assert!(proxy.workers[0].call.is_none(), "the command to cancel it came");
    assert_eq!(proxy.workers[0].failures, ["lost"]);
    let revision = proxy.workers[0].state.revision();
    proxy.companion.revoked.push(7);
    proxy.deliver(0, &late);
    assert_eq!(proxy.workers[0].state.revision(), revision, "an outcome without a call changes nothing");
    proxy.serve(&[0], 2300);
    assert!(!proxy.workers[0].admits(7));
}

#[test]
fn failing_feed_is_polled_less_often() {
    for (has_keys, expected) in [(true, 25..40), (false, 30..45)] {
        let mut proxy = if has_keys { synced() } else { Proxy::with_workers(1) };
        let before = proxy.workers[0].polls;
        for _ in 0..600 {
            proxy.advance(&[0], 100);
            if proxy.workers[0].call.is_some() {
                proxy.respond(0, &CallOutcome::NoResponse);
            }
        }
        let polls = proxy.workers[0].polls - before;
        assert!(expected.contains(&polls), "{polls} polls in a minute, keys known: {has_keys}");
    }
}

#[test]
fn feed_is_polled_eagerly_while_no_key_is_known() {
    let mut proxy = Proxy::with_workers(1);
    proxy.workers[0].accepts_calls = false;
    proxy.advance(&[0], 1000);
    assert!(proxy.workers[0].polls >= 4, "{} polls in a second", proxy.workers[0].polls);
}

#[test]
fn unknown_key_causes_one_early_poll_in_five_seconds() {
    let settings = Feed { poll: Duration::from_mins(1), ..settings() };
    let mut proxy = Proxy::with(settings, 1);
    proxy.serve(&[0], 100);
    proxy.companion.etag = "e2";
    proxy.poll_early(0);
    proxy.serve(&[0], 100);
    assert_eq!((proxy.workers[0].state.keys_etag(), proxy.workers[0].polls), ("e2", 2));
    for (millis, expected) in [(4800, 2), (200, 3), (4900, 3)] {
        for _ in 0..millis / 100 {
            proxy.poll_early(0);
            proxy.serve(&[0], 100);
        }
        assert_eq!(proxy.workers[0].polls, expected);
    }
}

#[test]
fn early_poll_during_a_call_is_made_after_it() {
    let mut proxy = synced();
    proxy.advance_to_poll(0);
    let old = proxy.response(0);
    proxy.companion.etag = "e2";
    proxy.poll_early(0);
    proxy.deliver(0, &old);
    proxy.serve(&[0], 100);
    assert_eq!(proxy.workers[0].state.keys_etag(), "e2");
}

#[test]
fn cancelled_call_is_made_again_at_the_next_tick() {
    let mut proxy = synced();
    assert!(!proxy.workers[0].cancel_call(), "no call is in flight");
    let path = proxy.advance_to_poll(0);
    assert!(proxy.workers[0].cancel_call());
    proxy.tick(0);
    assert_eq!(proxy.workers[0].call.as_ref().unwrap().path, path);
    assert_eq!(proxy.workers[0].failures, [""; 0]);
}

#[test]
fn changed_settings_lose_nothing() {
    let mut proxy = synced();
    proxy.companion.revoked.push(7);
    proxy.serve(&[0], 1200);
    let changed = Feed { poll: Duration::from_mins(1), timeout: Duration::from_millis(20), ..settings() };
    proxy.workers[0].follower.reconfigure(changed);
    assert_eq!(proxy.advance_to_poll(0), "/internal/edge-feed?after=c1&keys=e1&bans=");
    assert_eq!(proxy.workers[0].call.as_ref().unwrap().timeout, Duration::from_millis(20));
    proxy.serve_calls(0);
    proxy.serve(&[0], 30_000);
    assert_eq!(proxy.workers[0].polls, 3, "the new time between polls counts");
    assert!(!proxy.workers[0].admits(7));
}

#[test]
fn identity_is_that_of_the_feed_and_not_of_its_settings() {
    let same = Feed { poll: Duration::from_secs(9), timeout: Duration::from_secs(9), ..settings() };
    assert_eq!(identity(&same), identity(&settings()));
    for other in [
        Feed { cluster: "elsewhere".into(), ..settings() },
        Feed { path: "/elsewhere".into(), ..settings() },
        Feed { denies_stale: true, ..settings() },
    ] {
        assert_ne!(identity(&other), identity(&settings()));
    }
}

#[test]
fn clock_that_is_set_back_stops_no_polls_and_freshens_no_state() {
    for has_call in [false, true] {
        let mut proxy = synced();
        if has_call {
            proxy.advance_to_poll(0);
        }
        proxy.now = proxy.now.saturating_sub(Duration::from_mins(10));
        proxy.tick(0);
        assert!(proxy.workers[0].call.is_some(), "a poll is due, or in flight");
        let before = proxy.now;
        proxy.advance(&[0], 2000);
        assert_eq!(proxy.workers[0].failures, ["lost"], "a call is given up in time");
        let age = proxy.workers[0].state.age_s(proxy.now.as_secs());
        assert_eq!(age, proxy.now.saturating_sub(before).as_secs());
    }
}

#[test]
fn gauges_are_recorded_once_a_second() {
    let mut proxy = synced();
    proxy.companion.revoked.push(7);
    proxy.serve(&[0], 10_000);
    let gauges = &proxy.workers[0].gauges;
    assert!((9..=11).contains(&gauges.len()), "{} records in 10 s", gauges.len());
    let Gauges { feed_age_s, feed_answer, key_set_generation, keys, revocations, .. } =
        gauges.last().unwrap();
    assert!(*feed_age_s <= 1 && (9..=12).contains(feed_answer), "{gauges:?}");
    assert_eq!((*key_set_generation, *keys, *revocations), (1, 1, 1));
}

#[test]
fn clock_of_the_companion_that_is_apart_is_logged_once() {
    let mut proxy = synced();
    for _ in 0..3 {
        proxy.advance_to_poll(0);
        let path = proxy.workers[0].call.as_ref().unwrap().path.clone();
        let ahead = proxy.companion.respond(&path, proxy.now + Duration::from_secs(8));
        proxy.deliver(0, &ahead);
    }
    let is_gap = |line: &&String| line.contains("the companion's clock is 8 s ahead of this machine's");
    assert_eq!(proxy.workers[0].log.iter().filter(is_gap).count(), 1, "{:?}", proxy.workers[0].log);
}
