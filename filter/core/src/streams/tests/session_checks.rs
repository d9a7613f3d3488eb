//! Streams whose token has expired, and the responses about their sessions.

use std::time::Duration;

use super::*;
use crate::config::Refresh;
use crate::policy::Cookies;

#[test]
fn stream_stays_as_long_as_the_companion_says() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED);
    assert_eq!(check.refresh_token(), b"token 7");
    assert!(world.tick_at(EXPIRED + 1).is_empty(), "one call at a time");
    assert!(world.respond(&check, "200", &alive(EXPIRED + 100, 7)).is_empty());
    assert!(world.tick_at(EXPIRED + 99).is_empty());
    let again = world.check_at(EXPIRED + 100);
    assert!(world.respond(&again, "401", "").is_empty());
    assert_eq!(world.tick(), [close(1, EndReason::Expired)]);
}

// holds: promise 12
#[test]
fn response_of_a_session_other_than_the_stream_s_does_not_keep_it() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED);
    world.respond(&check, "200", &alive(EXPIRED + 100, 8));
    assert_eq!(world.tick(), [close(1, EndReason::Expired)]);
}

// holds: promise 12
#[test]
fn response_that_tells_of_a_change_of_the_user_closes_earlier_streams() {
    for (not_before, closed) in [(NOW, 0), (NOW + 1, 1)] {
        let mut world = world();
        world.open(1, 7);
        let check = world.check_at(EXPIRED);
        let body = format!(r#"{{"until":{},"sid":7,"not_before":{not_before}}}"#, EXPIRED + 100);
        world.respond(&check, "200", &body);
        let commands = world.tick();
        assert_eq!(commands, vec![close(1, EndReason::TokenOutdated); closed]);
    }
}

#[test]
fn revoked_session_ends_at_once_however_long_it_was_to_go_on() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED);
    world.end_session(7);
    assert_eq!(world.tick(), [close(1, EndReason::SessionEnded)], "while the companion is asked");
    world.respond(&check, "200", &alive(EXPIRED + 100, 7));
    assert!(world.tick().is_empty());

    world.open(2, 8);
    let check = world.check_at(EXPIRED);
    world.respond(&check, "200", &alive(EXPIRED + 100, 8));
    assert!(world.tick().is_empty());
    world.end_session(8);
    assert_eq!(world.tick(), [close(2, EndReason::SessionEnded)]);
}

#[test]
fn failing_companion_cuts_nobody_and_is_asked_less_and_less() {
    let mut world = world();
    world.open(1, 7);
    let mut at = EXPIRED;
    for (status, body, wait) in [
        ("503", "", 10),
        ("404", "", 20),
        ("200", "{}", 40),
        ("200", r#"{"until":1.5,"sid":7,"not_before":0}"#, 60),
        ("403", "", 60),
    ] {
        let check = world.check_at(at);
        assert!(world.respond(&check, status, body).is_empty());
        assert!(world.tick_at(at + wait - 1).is_empty(), "{status} {body}");
        at += wait;
    }
    let check = world.check_at(at);
    world.streams.on_response(check.call, &CallOutcome::NoResponse, at);
    let check = world.check_at(at + 60);
    world.streams.on_response(check.call, &CallOutcome::NotAccepted, at + 60);
    let check = world.check_at(at + 120);
    world.respond(&check, "200", &alive(at + 500, 7));
    let check = world.check_at(at + 500);
    world.respond(&check, "503", "");
    world.check_at(at + 510);
}

#[test]
fn stream_ends_if_its_session_stays_unknown_for_an_hour() {
    let mut world = world();
    world.open(1, 7);
    let mut checks = 0;
    for at in EXPIRED..EXPIRED + 3600 {
        for command in world.tick_at(at) {
            let Command::Check(check) = command else { panic!("{command:?} at {at}") };
            world.respond(&check, "503", "");
            checks += 1;
        }
    }
    assert_eq!((checks, world.tick_at(EXPIRED + 3600)), (62, vec![close(1, EndReason::SessionUnknown)]));
}

#[test]
fn stream_ends_after_that_hour_while_a_call_hangs() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED);
    world.respond(&check, "503", "");
    world.check_at(EXPIRED + 3590);
    assert!(world.tick_at(EXPIRED + 3599).is_empty());
    assert_eq!(world.tick_at(EXPIRED + 3600), [close(1, EndReason::SessionUnknown)]);
}

#[test]
fn hour_begins_again_once_the_companion_has_told() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED);
    world.respond(&check, "503", "");
    let check = world.check_at(EXPIRED + 3590);
    world.respond(&check, "200", &alive(EXPIRED + 3600, 7));
    let check = world.check_at(EXPIRED + 3600);
    world.respond(&check, "503", "");
    world.check_at(EXPIRED + 7190);
}

#[test]
fn companion_is_asked_even_after_the_gateway_was_asleep() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED + 100_000);
    world.respond(&check, "200", &alive(EXPIRED + 100_100, 7));
    assert!(world.tick().is_empty());
}

#[test]
fn call_that_the_host_loses_is_made_again() {
    let mut world = world();
    world.open(1, 7);
    let lost = world.check_at(EXPIRED);
    assert!(world.tick_at(EXPIRED + 70).is_empty());
    assert!(world.tick_at(EXPIRED + 71).is_empty());
    let check = world.check_at(EXPIRED + 81);
    assert_ne!(check.call, lost.call);
    world.respond(&lost, "401", "");
    assert!(world.tick().is_empty(), "a late response is ignored");
}

#[test]
fn response_that_counts_for_too_short_or_too_long_is_limited() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED);
    world.respond(&check, "200", &alive(0, 7));
    assert!(world.tick_at(EXPIRED + 9).is_empty());
    let check = world.check_at(EXPIRED + 10);
    world.respond(&check, "200", &alive(u64::MAX, 7));
    assert!(world.tick_at(EXPIRED + 10 + 86_399).is_empty());
    world.check_at(EXPIRED + 10 + 86_400);
}

#[test]
fn streams_of_one_refresh_token_share_a_call() {
    let mut world = world();
    for stream in 1..=300 {
        world.open(stream, 7);
    }
    let check = world.check_at(EXPIRED);
    world.streams.ended(300);
    world.respond(&check, "401", "");
    assert_eq!(world.tick().len(), 299);
    assert_eq!(world.streams.lasting(), 0);
}

// holds: invariant 3, promise 6
#[test]
fn calls_in_flight_are_limited_and_the_next_follow_at_once() {
    let mut world = world();
    for stream in 1..=100 {
        world.open(stream, stream.into());
    }
    let checks = world.tick_at(EXPIRED);
    assert_eq!(checks.len(), MAX_CALLS);
    assert!(world.tick_at(EXPIRED + 1).is_empty());
    world.streams.ended(65);
    let Command::Check(first) = &checks[0] else { panic!("{checks:?}") };
    let [Command::Check(next)] = &world.respond(first, "200", &alive(EXPIRED + 100, 1))[..] else {
        panic!("no next check")
    };
    assert_eq!(next.refresh_token(), b"token 66", "nobody waits for the check of stream 65");
    assert!(world.tick().is_empty());
}

#[test]
fn clock_that_is_set_back_closes_nothing() {
    let mut world = world();
    world.open(1, 7);
    assert!(world.tick_at(NOW - 100_000).is_empty());
    let check = world.check_at(EXPIRED);
    world.now = NOW - 100_000;
    world.respond(&check, "200", &alive(EXPIRED + 100, 7));
    assert!(world.tick().is_empty());
}

#[test]
fn companion_is_asked_again_after_a_clock_was_set_back() {
    const AHEAD: u64 = 1_000_000;
    for status in ["200", "503"] {
        let mut world = world();
        world.open(1, 7);
        let check = world.check_at(EXPIRED + AHEAD);
        world.respond(&check, status, &alive(EXPIRED + 3600, 7));
        assert!(world.tick().is_empty());
        let check = world.check_at(EXPIRED);
        world.respond(&check, "401", "");
        assert_eq!(world.tick(), [close(1, EndReason::Expired)]);
    }
}

#[test]
fn token_that_expires_again_after_a_clock_was_set_back_is_noticed() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED + 1_000_000);
    world.respond(&check, "200", &alive(EXPIRED + 3600, 7));
    assert!(world.tick().is_empty());
    assert!(world.tick_at(NOW).is_empty());
    assert!(world.tick_at(EXPIRED - 1).is_empty());
    world.check_at(EXPIRED);
}

// holds: invariant 8, promise 8
#[test]
fn check_carries_the_cookie_and_the_secret_and_shows_neither() {
    let mut world = world();
    world.open(1, 7);
    let check = world.check_at(EXPIRED);
    let cookies = Cookies { access: "access_token".into(), refresh: "__Host-refresh_token".into() };
    let refresh = Refresh {
        cluster: "companion".into(),
        path: "/internal/edge-refresh".into(),
        session_path: "/s".into(),
        timeout: Duration::from_secs(2),
        secret: None,
    };
    let call = check.http_call(&refresh, &cookies);
    assert_eq!((call.cluster.as_str(), call.method, call.path.as_str()), ("companion", "POST", "/s"));
    assert_eq!(call.headers, [("cookie", b"__Host-refresh_token=token 7".to_vec())]);
    assert_eq!(call.timeout, refresh.timeout);
    assert!(!format!("{check:?} {call:?}").contains("token 7"));
}
