//! Lives of requests: what one callback of the host leaves for the next.

use super::*;
use crate::config;
use crate::keys::KeySet;
use crate::rejection::Rejection;

const NOW: Duration = Duration::from_hours(500_000);
const CONFIGURATION: &[u8] =
    br#"{"issuer": "edgeward", "feed": {"cluster": "c"}, "refresh": {"cluster": "companion"},
    "allowed_origins": ["https://app.example"], "rules": [{"prefix": "/public/", "access": "public"}]}"#;

fn key() -> KeySet {
    let n = Some(format!("{}w", "_".repeat(341)));
    let jwk =
        edgeward_wire::Jwk { kty: "RSA".into(), n, e: Some("AQAB".into()), ..edgeward_wire::Jwk::default() };
    KeySet::read(&edgeward_wire::JwkSet { keys: vec![jwk] }).unwrap()
}

struct World {
    filter: Filter,
    state: EdgeState,
}

impl World {
    fn new() -> Self {
        let config::Configuration { policy, refresh, .. } = config::compile(CONFIGURATION).unwrap();
        let filter = Filter::new(policy.into(), refresh, TokenCache::new(2, 1, [7; 16]).into());
        Self { filter, state: EdgeState::new(key(), NOW.as_secs()) }
    }

    fn admit(&mut self, stream: StreamId, fields: &[(&str, &str)]) -> Result<Verdict<Infallible>, Held> {
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let request = Request::new(fields.clone(), true);
        self.filter.admit(stream, &request, fields, &self.state, NOW)
    }

    /// Holds a request, and returns the call for it.
    fn hold(&mut self, stream: StreamId) -> CallId {
        let verdict =
            self.admit(stream, &[(":method", "GET"), (":path", "/a"), ("cookie", "refresh_token=r")]);
        let Err(Held { mut commands, poll_early: false }) = verdict else { panic!("{verdict:?}") };
        let Some(Command::Call(id, call)) = commands.pop() else { panic!("{commands:?}") };
        assert_eq!((call.cluster.as_str(), call.path.as_str()), ("companion", "/internal/edge-refresh"));
        id
    }

    fn respond(&mut self, call: CallId, status: &[u8]) -> Vec<Command> {
        let outcome = CallOutcome::Response { status, body: b"{}" };
        self.filter.on_response(call, &outcome, NOW)
    }
}

#[test]
fn held_request_is_decided_again_by_the_response() {
    let mut world = World::new();
    let call = world.hold(1);
    let commands = world.respond(call, b"401");
    let [Command::Resume(resume)] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((resume.stream, &resume.outcome), (1, &Outcome::SessionOver));
    let fields = [(&b":method"[..], &b"GET"[..]), (b":path", b"/a")];
    let request = Request::new(fields, resume.end_of_stream);
    let Verdict::Reply(reply) = world.filter.resume(resume, &request, &world.state, NOW) else { panic!() };
    assert_eq!((reply.status, reply.rejection), (401, Some(Rejection::CookieMissing)));
    assert!(world.respond(call, b"401").is_empty(), "a response counts once");
}

#[test]
fn request_that_cannot_be_held_is_decided_at_once() {
    let mut world = World::new();
    let call = world.hold(1);
    world.respond(call, b"401");
    // The companion has just rejected this token.
    let verdict = world.admit(2, &[(":method", "GET"), (":path", "/a"), ("cookie", "refresh_token=r")]);
    let Ok(Verdict::Reply(reply)) = verdict else { panic!("{verdict:?}") };
    assert_eq!(reply.status, 401);
}

#[test]
fn ended_stream_is_not_resumed() {
    let mut world = World::new();
    let call = world.hold(1);
    world.filter.on_stream_end(1);
    assert!(world.respond(call, b"200").is_empty());
}

#[test]
fn response_gets_cors_headers_once_if_its_request_came_from_an_allowed_origin() {
    let mut world = World::new();
    let from = |origin| {
        [(":method", "GET"), (":path", "/public/a"), ("origin", origin), ("sec-fetch-site", "cross-site")]
    };
    for (origin, expected) in [("https://app.example", true), ("https://other.example", false)] {
        assert!(matches!(world.admit(1, &from(origin)), Ok(Verdict::Pass(_))));
        assert_eq!(world.filter.on_response_headers(1).cross_origin.is_some(), expected, "{origin}");
        assert_eq!(world.filter.on_response_headers(1), Completion::default());
    }
    let _ = world.admit(2, &from("https://app.example"));
    world.filter.on_stream_end(2);
    assert_eq!(
        world.filter.on_response_headers(2),
        Completion::default(),
        "nothing stays of an ended stream"
    );
}
