//! Streams, revocations and expiries, as a world whose time is moved.

mod session_checks;
mod short_requests;

use std::time::{Duration, Instant};

use edgeward_wire::{Revoked, RevokedSession, RevokedUser};

use super::*;
use crate::claims::Expected;
use crate::keys::KeySet;
use crate::token::Verified;

const NOW: u64 = 1_800_000_000;
const SKEW: u64 = 5;
/// First second in which a token of [`identity`] has expired.
const EXPIRED: u64 = NOW + 3600 + SKEW;

/// A machine, the state that it judges by, and the time.
struct World {
    streams: OpenStreams,
    state: EdgeState,
    responses: u64,
    now: u64,
}

fn identity_until(user: u64, session: u64, expires_at: u64) -> Identity {
    let expected = Expected { issuer: "i".into(), audience: "a".into(), clock_skew_s: 0 };
    let claims = format!(
        r#"{{"iss":"i","aud":"a","exp":{expires_at},"iat":{NOW},"sub":"{user}","sid":{session},"role":"x"}}"#
    );
    Identity::judge(&Verified::for_test(&claims), &expected, NOW).unwrap()
}

fn identity(user: u64, session: u64) -> Identity {
    identity_until(user, session, NOW + 3600)
}

fn world() -> World {
    let state = EdgeState::new(KeySet::default(), NOW);
    World { streams: OpenStreams::new(true), state, responses: 0, now: NOW }
}

impl World {
    fn open(&mut self, stream: StreamId, session: u64) {
        self.streams.opened(stream, &identity(1, session), Some(format!("token {session}").as_bytes()));
    }

    fn revoke(&mut self, revoked: &Revoked) {
        self.responses += 1;
        let (at, cursor) = (self.now, format!("c{}", self.responses));
        let revoked = serde_json::to_string(revoked).unwrap();
        let keys = r#"{"etag":"e","set":{"keys":[]}}"#;
        let body =
            format!(r#"{{"at":{at},"keys":{keys},"revoked":{revoked},"cursor":"{cursor}","more":false}}"#);
        let body = body.replace(r#","set":{"keys":[]}"#, if self.responses > 1 { "" } else { SET });
        self.state.apply(body.as_bytes(), self.now).unwrap();
    }

    fn end_session(&mut self, session: u64) {
        let until = u32::try_from(self.now + 4000).unwrap();
        self.revoke(&Revoked { sessions: vec![RevokedSession(session, until)], users: Vec::new() });
    }

    fn change_user(&mut self, user: u64, not_before: u64) {
        let (not_before, until) = (u32::try_from(not_before).unwrap(), u32::MAX);
        self.revoke(&Revoked { sessions: Vec::new(), users: vec![RevokedUser(user, not_before, until)] });
    }

    /// A tick after others, so that no stream is young.
    fn tick(&mut self) -> Vec<Command> {
        self.streams.tick = self.streams.tick.wrapping_add(sweep::MIN_TICKS);
        self.next_tick()
    }

    fn next_tick(&mut self) -> Vec<Command> {
        self.streams.on_tick(self.now, SKEW, &self.state)
    }

    fn tick_at(&mut self, now: u64) -> Vec<Command> {
        self.now = now;
        self.tick()
    }

    /// The one check that a tick asks for.
    fn check_at(&mut self, now: u64) -> SessionCheck {
        let commands = self.tick_at(now);
        let [Command::Check(check)] = commands.as_slice() else { panic!("no check alone: {commands:?}") };
        check.clone()
    }

    fn respond(&mut self, check: &SessionCheck, status: &str, body: &str) -> Vec<Command> {
        let outcome = CallOutcome::Response { status: status.as_bytes(), body: body.as_bytes() };
        self.streams.on_response(check.call, &outcome, self.now)
    }
}

/// A member of a feed's response, with a key.
const SET: &str = concat!(
    r#","set":{"keys":[{"kty":"RSA","e":"AQAB","n":""#,
    "_____________________________________________________________________________________________________________",
    "_____________________________________________________________________________________________________________",
    "___________________________________________________________________________________________________________________________w",
    r#""}]}"#
);

fn close(stream: StreamId, reason: EndReason) -> Command {
    Command::Close { stream, reason }
}

fn alive(until: u64, session: u64) -> String {
    format!(r#"{{"until":{until},"sid":{session},"not_before":0}}"#)
}

// holds: promise 12
#[test]
fn streams_of_a_session_are_closed_when_it_ends_and_no_others() {
    let mut world = world();
    for stream in 1..=600 {
        world.open(stream, u64::from(stream % 3));
    }
    assert!(world.tick().is_empty());
    world.end_session(1);
    let closed = world.tick();
    assert_eq!(closed.len(), 200);
    let of_one = |command: &Command| matches!(command, Command::Close { stream, reason: EndReason::SessionEnded } if stream % 3 == 1);
    assert!(closed.iter().all(of_one), "{closed:?}");
    assert!(world.tick().is_empty(), "each is closed once");
}

// holds: promise 12
#[test]
fn streams_of_a_user_are_closed_when_the_role_changes_or_the_user_is_disabled() {
    let mut world = world();
    world.streams.opened(1, &identity(42, 1), None);
    world.streams.opened(2, &identity(43, 2), None);
    world.change_user(42, NOW);
    assert!(world.tick().is_empty(), "its token is from after the change");
    world.change_user(42, NOW + 1);
    assert_eq!(world.tick(), [close(1, EndReason::TokenOutdated)]);
}

#[test]
fn stream_that_has_ended_is_neither_closed_nor_checked() {
    let mut world = world();
    for stream in 1..=1000 {
        world.open(stream, 1);
    }
    for stream in 1..=1000 {
        world.streams.ended(stream);
        world.streams.ended(stream);
    }
    world.end_session(1);
    assert!(world.tick().is_empty());
    assert!(world.tick_at(EXPIRED).is_empty());
    assert_eq!(world.streams.lasting(), 0);
}

// holds: promise 12
#[test]
fn stream_without_a_refresh_token_is_closed_when_its_token_expires() {
    for (enabled, token) in [
        (true, None),
        (true, Some(&b""[..])),
        (true, Some(&[b'x'; MAX_REFRESH_TOKEN_BYTES + 1][..])),
        (false, Some(b"token")),
    ] {
        let mut world = world();
        world.streams = OpenStreams::new(enabled);
        world.streams.opened(1, &identity(1, 1), token);
        assert!(world.tick_at(EXPIRED - 1).is_empty());
        assert_eq!(world.tick_at(EXPIRED), [close(1, EndReason::Expired)]);
    }
}

// holds: invariant 3, promise 6
#[test]
fn streams_beyond_the_limit_are_not_followed_but_counted() {
    let mut world = world();
    let latest = 256;
    let streams = u32::try_from(MAX_LASTING).unwrap() + latest;
    let identity = identity(1, 1);
    for stream in 1..=streams + 2 {
        world.streams.opened(stream, &identity, Some(b"token"));
    }
    assert_eq!(world.streams.lasting(), MAX_LASTING);
    assert_eq!(world.tick(), [Command::CountUnfollowed { streams: 2, log: true }]);
    assert!(world.tick().is_empty());
    world.streams.opened(streams + 3, &identity, None);
    let seconds = [0, 59, 60];
    for (after, log) in seconds.into_iter().zip([false, false, true]) {
        let now = NOW + after;
        assert_eq!(world.tick_at(now), [Command::CountUnfollowed { streams: 1, log }]);
        world.streams.opened(streams + 4 + u32::try_from(after).unwrap(), &identity, None);
    }
    world.end_session(1);
    let closed = world.tick();
    let closed = closed.iter().filter(|command| matches!(command, Command::Close { .. })).count();
    assert_eq!(closed, MAX_LASTING + latest as usize);
    for stream in 0..1000 {
        world.streams.opened(stream, &identity, None);
    }
    assert!(
        world.tick().iter().all(|command| matches!(command, Command::Close { .. })),
        "there is room again"
    );
}

#[test]
fn nothing_is_judged_while_nothing_changes() {
    let mut world = world();
    world.open(1, 1);
    world.tick();
    world.open(2, 1);
    assert_eq!(world.streams.earliest_expiry, NOW + 3600);
    world.streams.opened(3, &identity_until(1, 1, NOW + 10), None);
    world.streams.ended(3);
    assert!(world.tick_at(NOW + 10 + SKEW).is_empty());
    assert_eq!(world.streams.earliest_expiry, NOW + 3600, "computed anew from those that are open");
    world.revoke(&Revoked::default());
    assert_eq!(world.state.revision(), 0, "a response that revokes nothing changes nothing");
}

#[test]
fn expired_stream_beyond_the_limit_is_closed_if_it_has_no_session() {
    let mut world = world();
    let streams = u32::try_from(MAX_LASTING).unwrap();
    let (lasting, expiring) = (identity(1, 1), identity_until(1, 2, NOW + 60));
    for stream in 1..=streams {
        world.streams.opened(stream, &lasting, Some(b"token"));
        world.streams.opened(stream + streams, &expiring, None);
        world.streams.ended(stream + streams - 1);
    }
    assert_eq!(world.streams.lasting(), MAX_LASTING);
    assert_eq!(world.tick_at(NOW + 60 + SKEW), [close(2 * streams, EndReason::Expired)]);
}

#[test]
fn number_that_is_used_again_is_the_new_stream() {
    let mut world = world();
    for session in [7, 8] {
        world.open(1, session);
        world.open(1 + 256, 9);
        world.streams.ended(1 + 256);
    }
    world.end_session(7);
    assert!(world.tick().is_empty());
    world.end_session(8);
    assert_eq!(world.tick(), [close(1, EndReason::SessionEnded)]);
    assert_eq!(world.streams.lasting(), 0);
}

#[test]
fn numbers_of_streams_and_ticks_may_wrap_around() {
    let mut world = world();
    world.streams.tick = u32::MAX - 2;
    for stream in (0..1000).map(|at: u32| at.wrapping_sub(500)) {
        world.open(stream, 1);
    }
    for _ in 0..5 {
        assert!(world.next_tick().is_empty());
    }
    world.end_session(1);
    assert_eq!(world.next_tick().len(), 1000);
}

#[test]
fn line_about_streams_not_followed_is_due_again_after_a_clock_was_set_back() {
    let mut world = world();
    for now in [NOW, NOW - 100_000] {
        world.streams.unfollowed = 1;
        assert_eq!(world.tick_at(now), [Command::CountUnfollowed { streams: 1, log: true }]);
    }
}

/// A sweep is short enough for a tick, with as many streams as there can be and many revocations.
#[test]
#[ignore = "a measurement: cargo test --release -p edgeward-filter -- --ignored --nocapture sweep"]
fn time_of_a_sweep() {
    let mut world = world();
    let streams = u32::try_from(MAX_LASTING).unwrap() + 256;
    for stream in 0..streams {
        world.streams.opened(stream, &identity(u64::from(stream) + 1, stream.into()), Some(&[b'x'; 300]));
    }
    let sessions = (0..1000).map(|page| {
        let until = u32::MAX;
        Revoked {
            sessions: (0..1000).map(|at| RevokedSession((1 << 40) + page * 1000 + at, until)).collect(),
            users: Vec::new(),
        }
    });
    for revoked in sessions {
        world.revoke(&revoked);
    }
    let mut times: Vec<Duration> = (0..20)
        .map(|at| {
            world.end_session((1 << 41) + at);
            let start = Instant::now();
            assert!(world.tick().is_empty());
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{streams} streams, {} revocations: {:?}", world.state.revocations().len(), times[10]);
    let start = Instant::now();
    let rounds = 10_000_000;
    let (mut short, identity) = (OpenStreams::new(true), identity(1, 1));
    for stream in 0..rounds {
        short.opened(stream, &identity, Some(&[b'x'; 300]));
        short.ended(stream);
    }
    println!("a short request: {:?}", start.elapsed() / rounds);
}
