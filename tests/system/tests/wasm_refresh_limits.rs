//! Compiled filter and the limits of the edge refresh: of held requests, of calls, and of their time.

use edgeward_kit::host::edge::{NOW, rejected};
use edgeward_kit::host::refresh::{granted, refreshing, with_cookie};
use edgeward_kit::mint::Key;

// holds: invariant 3, invariant 5, promise 6
#[test]
fn lost_call_does_not_hold_a_request_for_ever() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let stream = host.open(with_cookie("/orders", "refresh_token=r", &[]));
    let call = host.take_call();
    host.advance_in_ticks(2900);
    assert!(host.is_held(stream));
    host.advance_in_ticks(200);
    assert_eq!(rejected(&host.end(stream)), (503, "refresh_unavailable"));
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
}

// holds: invariant 3, promise 6
#[test]
fn requests_beyond_the_limit_are_rejected_until_others_complete() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let token = |at: usize| format!("refresh_token=r{}", at / 256);
    let held: Vec<u32> = (0..4096).map(|at| host.open(with_cookie("/orders", &token(at), &[]))).collect();
    for beyond in ["refresh_token=r0", "refresh_token=other"] {
        let beyond = host.open(with_cookie("/orders", beyond, &[]));
        assert_eq!(rejected(&host.end(beyond)), (503, "refresh_unavailable"));
    }
    for call in host.take_calls() {
        host.complete_call(&call, Some(401), b"");
    }
    assert!(held.into_iter().all(|stream| rejected(&host.end(stream)) == (401, "cookie_missing")));
    let asking: Vec<u32> =
        (0..1024).map(|at| host.open(with_cookie("/orders", &format!("refresh_token={at}"), &[]))).collect();
    let beyond = host.open(with_cookie("/orders", "refresh_token=r", &[]));
    assert_eq!(rejected(&host.end(beyond)), (503, "refresh_unavailable"));
    assert!(asking.into_iter().all(|stream| host.is_held(stream)));
}

#[test]
fn disconnected_clients_count_towards_no_limit_of_held_requests() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    for _ in 0..5000 {
        let gone = host.open(with_cookie("/orders", "refresh_token=mine", &[]));
        host.end(gone);
    }
    let honest = host.open(with_cookie("/orders", "refresh_token=honest", &[]));
    assert!(host.is_held(honest));
    // The same for many clients.
    for at in 0..5000 {
        let gone = host.open(with_cookie("/orders", &format!("refresh_token=r{}", at / 256), &[]));
        host.end(gone);
    }
    let late = host.open(with_cookie("/orders", "refresh_token=late", &[]));
    assert!(host.is_held(late));
    assert!(host.is_held(honest));
}

#[test]
fn rejected_refresh_token_is_not_sent_again_at_every_request() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let mut calls = 0;
    for _ in 0..100 {
        let stream = host.open(with_cookie("/orders", "refresh_token=dead", &[]));
        for call in host.take_calls() {
            calls += 1;
            host.complete_call(&call, Some(401), b"");
        }
        assert_eq!(rejected(&host.end(stream)), (401, "cookie_missing"));
    }
    assert_eq!(calls, 1);
    host.advance_in_ticks(5000);
    let stream = host.open(with_cookie("/orders", "refresh_token=dead", &[]));
    assert!(host.is_held(stream));
}

#[test]
fn resumed_requests_count_towards_no_limit_of_held_requests() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    for at in 0..5000 {
        let slow = host.open(with_cookie("/long-poll", &format!("refresh_token=r{at}"), &[]));
        let call = host.take_call();
        host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
        assert!(!host.is_held(slow), "{at}");
    }
}

#[test]
fn setting_the_clock_cancels_no_call_and_drops_no_rejection() {
    let key = Key::generate("a");
    for now in [NOW + 60, NOW - 60] {
        let mut host = refreshing(&key);
        let stream = host.open(with_cookie("/orders", "refresh_token=r", &[]));
        let call = host.take_call();
        host.set_now(now);
        host.tick();
        assert!(host.is_held(stream), "at {now}");
        host.complete_call(&call, Some(401), b"");
        let again = host.open(with_cookie("/orders", "refresh_token=r", &[]));
        assert!(!host.is_held(again), "at {now}");
        host.advance_in_ticks(5000);
        let again = host.open(with_cookie("/orders", "refresh_token=r", &[]));
        assert!(host.is_held(again), "at {now}");
    }
}
