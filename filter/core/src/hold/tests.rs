//! Tests of held requests: the calls for their tokens, the outcomes with which they continue, and the limits.

use edgeward_wire::edge_refresh::MAX_BYTES;

use super::*;

const TICK: Duration = Duration::from_millis(100);
const GRANTED: &str =
    r#"{"access_token":"new","set_cookies":["access_token=new; Path=/","refresh_token=next; Path=/"]}"#;

/// Held requests, and the calls that they have asked for.
struct World {
    held: HeldRequests,
    calls: Vec<(CallId, HttpCall)>,
    resumed: Vec<(StreamId, Outcome)>,
}

impl World {
    fn new() -> Self {
        let refresh = Refresh {
            cluster: "companion".into(),
            path: "/internal/edge-refresh".into(),
            timeout: Duration::from_secs(2),
            secret: Some("hunter2".to_owned().into()),
            session_path: "/internal/edge-session".into(),
        };
        Self {
            held: HeldRequests::new(refresh, "refresh_token", TICK),
            calls: Vec::new(),
            resumed: Vec::new(),
        }
    }

    fn hold(&mut self, stream: StreamId, token: &str) -> Result<(), Outcome> {
        let fields =
            [(&b"user-agent"[..], &b"Browser"[..]), (b"x-user-id", b"1"), (b"user-agent", b"second")];
        let hold =
            Hold { refresh_token: token.into(), rejection: Rejection::CookieMissing, poll_early: false };
        let command = self.held.hold(stream, &hold, true, fields)?;
        self.run(command.into_iter().collect());
        Ok(())
    }

    fn respond(&mut self, call: usize, outcome: &CallOutcome<'_>) {
        let commands = self.held.on_response(self.calls[call].0, outcome);
        self.run(commands);
    }

    fn advance(&mut self, time: Duration) {
        for _ in 0..time.as_millis() / TICK.as_millis() {
            let commands = self.held.on_tick();
            self.run(commands);
        }
    }

    fn run(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Call(id, call) => self.calls.push((id, call)),
                Command::Resume(resume) => self.resumed.push((resume.stream, resume.outcome)),
            }
        }
    }

    /// Streams that were resumed since the last time, with the outcome of all.
    fn take_resumed(&mut self) -> (Vec<StreamId>, Option<Outcome>) {
        let resumed = std::mem::take(&mut self.resumed);
        let outcome = resumed.first().map(|(_, outcome)| outcome.clone());
        assert!(resumed.iter().all(|(_, other)| Some(other) == outcome.as_ref()));
        (resumed.into_iter().map(|(stream, _)| stream).collect(), outcome)
    }
}

const fn response<'a>(status: &'a [u8], body: &'a str) -> CallOutcome<'a> {
    CallOutcome::Response { status, body: body.as_bytes() }
}

fn is_renewed(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Renewed(renewed)) if renewed.access_token == "new")
}

#[test]
fn call_carries_the_refresh_token_the_secret_and_the_client() {
    let mut world = World::new();
    world.hold(1, "r").unwrap();
    let (_, call) = &world.calls[0];
    assert_eq!(
        (call.cluster.as_str(), call.method, call.path.as_str()),
        ("companion", "POST", "/internal/edge-refresh")
    );
    let headers: Vec<String> =
        call.headers.iter().map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
    assert_eq!(headers, ["cookie: refresh_token=r", "authorization: Bearer hunter2", "user-agent: Browser"]);
}

#[test]
fn requests_with_one_refresh_token_share_a_call() {
    let mut world = World::new();
    for stream in 1..=8 {
        world.hold(stream, "one").unwrap();
    }
    world.hold(9, "two").unwrap();
    assert_eq!(world.calls.len(), 2);
    world.respond(0, &response(b"200", GRANTED));
    let (streams, outcome) = world.take_resumed();
    assert_eq!(streams, (1..=8).collect::<Vec<_>>());
    assert!(is_renewed(outcome.as_ref()));
}

#[test]
fn response_of_the_companion_decides_the_outcome() {
    let long = format!("{GRANTED}{}", " ".repeat(MAX_BYTES));
    for (outcome, expected) in [
        (response(b"401", ""), Some(Outcome::SessionOver)),
        (response(b"503", ""), Some(Outcome::Unavailable)),
        (response(b"200", "{}"), Some(Outcome::Unavailable)),
        (response(b"200", &long), Some(Outcome::Unavailable)),
        (CallOutcome::NoResponse, Some(Outcome::Unavailable)),
        (CallOutcome::NotAccepted, Some(Outcome::Unavailable)),
        (response(b"200", GRANTED), None),
    ] {
        let mut world = World::new();
        world.hold(1, "r").unwrap();
        world.respond(0, &outcome);
        let (streams, found) = world.take_resumed();
        assert_eq!(streams, [1], "{outcome:?}");
        assert!(
            expected.is_none() && is_renewed(found.as_ref()) || found == expected,
            "{outcome:?}: {found:?}"
        );
    }
}

#[test]
fn second_response_to_a_call_changes_nothing() {
    let mut world = World::new();
    world.hold(1, "r").unwrap();
    world.respond(0, &response(b"200", GRANTED));
    world.take_resumed();
    world.respond(0, &response(b"401", ""));
    assert_eq!(world.take_resumed(), (vec![], None));
}

// holds: invariant 5
#[test]
fn call_that_the_host_loses_holds_no_request_for_ever() {
    let mut world = World::new();
    world.hold(1, "r").unwrap();
    world.advance(Duration::from_millis(2900));
    assert_eq!(world.take_resumed(), (vec![], None));
    world.advance(Duration::from_millis(100));
    assert_eq!(world.take_resumed(), (vec![1], Some(Outcome::Unavailable)));
}

#[test]
fn rejected_refresh_token_is_not_sent_again_for_five_seconds() {
    let mut world = World::new();
    world.hold(1, "dead").unwrap();
    world.respond(0, &response(b"401", ""));
    assert_eq!(world.hold(2, "dead"), Err(Outcome::SessionOver));
    world.hold(3, "other").unwrap();
    world.advance(Duration::from_millis(4900));
    assert_eq!(world.hold(4, "dead"), Err(Outcome::SessionOver));
    world.advance(Duration::from_millis(100));
    world.hold(5, "dead").unwrap();
}

// holds: invariant 3, promise 6
#[test]
fn requests_beyond_the_limits_are_not_held() {
    let mut world = World::new();
    for stream in 0..MAX_HELD {
        world.hold(u32::try_from(stream).unwrap(), &format!("r{}", stream / MAX_HELD_PER_TOKEN)).unwrap();
    }
    assert_eq!(world.hold(9000, "other"), Err(Outcome::Unavailable));
    world.held.on_stream_end(0);
    assert_eq!(world.hold(9001, "r1"), Err(Outcome::Unavailable), "the token has its limit");
    world.hold(9002, "r0").unwrap();
    let mut world = World::new();
    for call in 0..MAX_CALLS {
        world.hold(call, &call.to_string()).unwrap();
    }
    assert_eq!(world.hold(9000, "other"), Err(Outcome::Unavailable));
    world.hold(9001, "0").unwrap();
}

#[test]
fn streams_that_end_take_no_room() {
    let mut world = World::new();
    for stream in 0..10_000 {
        world.hold(stream, "mine").unwrap();
        world.held.on_stream_end(stream);
    }
    assert!(world.held.is_empty());
    world.hold(10_001, "mine").unwrap();
    assert_eq!(world.calls.len(), 1, "the call continues for requests that come");
    world.respond(0, &response(b"200", GRANTED));
    assert_eq!(world.take_resumed().0, [10_001]);
}

#[test]
fn renewed_cookies_go_once_with_the_response_to_their_request() {
    let mut world = World::new();
    for (stream, token) in [(1, "r"), (2, "r"), (3, "s")] {
        world.hold(stream, token).unwrap();
    }
    world.respond(0, &response(b"200", GRANTED));
    assert!(world.held.on_response_headers(9).is_none());
    assert_eq!(world.held.on_response_headers(1).unwrap().set_cookies.len(), 2);
    assert!(world.held.on_response_headers(1).is_none());
    world.held.on_stream_end(2);
    assert!(world.held.on_response_headers(2).is_none());
}

#[test]
fn renewed_cookies_stay_off_a_late_response() {
    for (age_ms, expected) in [(0, true), (5000, true), (5100, false)] {
        let mut world = World::new();
        world.hold(1, "r").unwrap();
        world.respond(0, &response(b"200", GRANTED));
        world.advance(Duration::from_millis(age_ms));
        assert_eq!(world.held.on_response_headers(1).is_some(), expected, "{age_ms} ms");
    }
}

#[test]
fn stream_that_the_host_has_responded_to_is_not_resumed() {
    let mut world = World::new();
    world.hold(1, "r").unwrap();
    assert!(world.held.on_response_headers(1).is_none());
    world.respond(0, &response(b"200", GRANTED));
    assert_eq!(world.take_resumed(), (vec![], None));
}
