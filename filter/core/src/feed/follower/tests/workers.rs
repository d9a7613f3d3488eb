//! Several workers of one proxy, of which one polls for all.

use super::*;

// holds: promise 9
#[test]
fn one_worker_polls_and_all_apply_the_feed() {
    let mut proxy = Proxy::with_workers(3);
    proxy.serve(&[0, 1, 2], 10_000);
    proxy.companion.revoked.push(7);
    proxy.serve(&[0, 1, 2], 1300);
    let polls: Vec<u32> = proxy.workers.iter().map(|worker| worker.polls).collect();
    assert!((9..=13).contains(&polls[0]), "{polls:?}");
    assert_eq!(polls[1..], [0, 0]);
    for worker in &proxy.workers {
        assert!(worker.admits(8) && !worker.admits(7));
    }
}

// holds: promise 9
#[test]
fn another_worker_takes_over_where_the_polling_one_stopped() {
    let mut proxy = Proxy::with_two_synced();
    proxy.advance_to_poll(0);
    let old = proxy.response(0);
    proxy.advance(&[0, 1], 500);
    assert!(proxy.workers[1].call.is_none(), "the first is alive");
    proxy.advance(&[1], 900);
    assert!(proxy.workers[1].call.is_none(), "its lease has not expired");
    proxy.companion.revoked.push(7);
    assert_eq!(proxy.advance_to_poll(1), "/internal/edge-feed?after=c0&keys=e1&bans=");
    proxy.serve_calls(1);
    // The first returns. The response from before the takeover is applied, but not published.
    proxy.deliver(0, &old);
    assert_eq!(proxy.advance_to_poll(0), "/internal/edge-feed?after=c0&keys=e1&bans=");
    proxy.serve_calls(0);
    assert!(!proxy.workers[0].admits(7) && !proxy.workers[1].admits(7));
}

#[test]
fn worker_that_was_away_for_less_than_17_responses_does_not_poll() {
    for (responses, expected) in [(1, false), (16, false), (17, true)] {
        let mut proxy = Proxy::with_two_synced();
        for session in 1..=responses {
            proxy.companion.revoked.push(session);
            proxy.advance_to_poll(0);
            proxy.serve_calls(0);
        }
        proxy.tick(1);
        assert_eq!(proxy.workers[1].call.is_some(), expected, "{responses} responses");
        proxy.serve_calls(1);
        assert!(
            (1..=responses).all(|session| proxy.workers[1].has_revoked(session)),
            "{responses} responses"
        );
    }
}

#[test]
fn late_or_long_absent_worker_catches_up_and_then_applies_the_relay() {
    let mut proxy = Proxy::with_two_synced();
    for session in 1..40 {
        proxy.companion.revoked.push(session);
        proxy.advance_to_poll(0);
        proxy.serve_calls(0);
    }
    let late = proxy.start();
    for (number, cursor, is_known) in [(1, "c0", true), (late, "", false)] {
        // The first is alive all the while, so that the others never poll in its place.
        proxy.serve(&[0], 100);
        proxy.tick(number);
        let path = proxy.workers[number].call.as_ref().map(|call| call.path.clone());
        assert_eq!(path.unwrap(), format!("/internal/edge-feed?after={cursor}&keys=e1&bans="));
        assert_eq!(proxy.workers[number].admits(100), is_known, "a new worker admits no request");
        proxy.serve_calls(number);
        assert!(proxy.workers[number].admits(100) && !proxy.workers[number].admits(39));
        let polls = proxy.workers[number].polls;
        let session = 50 + number as u64;
        proxy.companion.revoked.push(session);
        proxy.serve(&[0, number], 2200);
        assert_eq!(proxy.workers[number].polls, polls);
        assert!(!proxy.workers[number].admits(session));
    }
}

#[test]
fn new_worker_has_the_keys_of_the_others_with_their_age() {
    let mut proxy = Proxy::with_workers(1);
    proxy.serve(&[0], 100);
    proxy.now += Duration::from_secs(20);
    let late = proxy.start();
    let Worker { state, log, .. } = &proxy.workers[late];
    assert_eq!((state.keys().len(), state.is_syncing()), (1, true));
    assert_eq!(state.age_s(proxy.now.as_secs()), 20);
    assert_eq!(log[..], [""; 0]);
}

#[test]
fn stored_keys_that_are_not_usable_are_logged() {
    let mut proxy = Proxy::with_workers(1);
    proxy.serve(&[0], 100);
    proxy.shared.0.iter_mut().filter(|(key, _)| key.ends_with(" keys")).for_each(|(_, (value, _))| {
        value.truncate(20);
    });
    let late = proxy.start();
    assert!(proxy.workers[late].state.keys().is_empty());
    assert!(proxy.workers[late].log[0].contains("not usable"), "{:?}", proxy.workers[late].log);
}

#[test]
fn two_workers_that_poll_at_once_both_get_every_page() {
    let mut proxy = Proxy::with_workers(2);
    proxy.companion.revoked = vec![1, 2, 3];
    proxy.companion.page = 2;
    proxy.tick(0);
    proxy.advance(&[1], 1200);
    let [first, second] = [0, 1].map(|number| proxy.response(number));
    proxy.deliver(0, &first);
    assert_eq!(proxy.workers[0].call.as_ref().unwrap().path, "/internal/edge-feed?after=c2&keys=e1&bans=");
    proxy.serve_calls(0);
    proxy.deliver(1, &second);
    let call = proxy.workers[1].call.as_ref().expect("it continues, though its page was not published");
    assert_eq!(call.path, "/internal/edge-feed?after=c2&keys=e1&bans=");
    assert!(!proxy.workers[1].admits(8), "a page is missing");
    proxy.serve_calls(1);
    for worker in &proxy.workers {
        assert!(worker.admits(8) && (1..=3).all(|session| worker.has_revoked(session)));
    }
}

#[test]
fn response_from_before_a_takeover_hides_no_later_revocation() {
    let mut proxy = Proxy::with_two_synced();
    proxy.advance_to_poll(0);
    let old = proxy.response(0);
    proxy.companion.revoked.push(7);
    proxy.advance_to_poll(1);
    proxy.serve_calls(1);
    // The first wakes up to a token under an unknown key, and then to the response from before.
    proxy.poll_early(0);
    proxy.deliver(0, &old);
    proxy.serve(&[0], 200);
    assert!(!proxy.workers[0].admits(7) && !proxy.workers[1].admits(7));
}

#[test]
fn worker_whose_polls_fail_leaves_them_to_another() {
    let mut proxy = Proxy::with_two_synced();
    proxy.workers[0].accepts_calls = false;
    let before = proxy.workers[1].polls;
    proxy.companion.revoked.push(7);
    proxy.serve(&[0, 1], 20_000);
    let Worker { polls, failures, .. } = &proxy.workers[1];
    assert!(polls - before > 5 && failures.is_empty(), "{polls} polls in 20 s");
    assert!(!proxy.workers[0].admits(7), "it applies what the other receives");
    let failures = proxy.workers[0].failures.len();
    proxy.advance(&[0], 3500);
    assert!(proxy.workers[0].failures.len() > failures, "it tries again once the other has stopped");
}

#[test]
fn new_worker_whose_poll_fails_waits_if_others_have_followed_the_feed() {
    for (others, denies_stale, [at_first, later]) in [
        (false, false, [true, true]),
        (false, true, [false, false]),
        (true, false, [false, true]),
        (true, true, [false, false]),
    ] {
        let mut proxy = Proxy::with(Feed { denies_stale, ..settings() }, 1);
        proxy.serve(&[0], 100);
        if !others {
            proxy.shared.0.retain(|key, _| key.ends_with(" keys"));
        }
        proxy.companion.revoked.push(7);
        for _ in 0..40 * u32::from(others) {
            proxy.advance_to_poll(0);
            proxy.serve_calls(0);
        }
        let late = proxy.start();
        for (seconds, expected) in [(0, at_first), (301, later)] {
            proxy.now += Duration::from_secs(seconds);
            proxy.advance_to_poll(late);
            proxy.respond(late, &CallOutcome::NoResponse);
            let case = format!("others: {others}, denies: {denies_stale}, after {seconds} s");
            assert_eq!(proxy.workers[late].admits(8), expected, "{case}");
        }
    }
}

#[test]
fn response_in_the_relay_that_is_not_valid_is_polled_for() {
    let mut proxy = Proxy::with_two_synced();
    proxy.companion.revoked.push(7);
    proxy.advance_to_poll(0);
    proxy.serve_calls(0);
    let slot = proxy.shared.0.get_mut("edgeward.feed companion_internal /internal/edge-feed 2").unwrap();
    let valid = slot.0.len();
    slot.0.truncate(valid - 1);
    proxy.tick(1);
    assert_eq!(proxy.workers[1].call.as_ref().unwrap().path, "/internal/edge-feed?after=c0&keys=e1&bans=");
    proxy.serve_calls(1);
    assert!(!proxy.workers[1].admits(7));
}
