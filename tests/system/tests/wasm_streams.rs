//! The compiled filter and open streams: the calls with which it closes them, and asks the companion about their sessions.

use edgeward_kit::host::edge::{ENVOY, NOW, configuration, feed, headers, keys};
use edgeward_kit::host::follower::poll;
use edgeward_kit::host::refresh::{granted, refreshing, values, with_cookie};
use edgeward_kit::host::{Call, Host};
use edgeward_kit::mint::Key;
use serde_json::{Value, json};

/// Time at which a token of `NOW` has expired, the tolerance for clocks included.
const EXPIRED: u64 = NOW + 3606;

/// Returns a configuration with a feed and these rules.
fn following(rules: &Value) -> String {
    configuration(&json!({"feed": {"cluster": "companion_internal"}, "rules": rules}))
}

fn rules() -> Value {
    json!([
        {"prefix": "/public/", "access": "public"},
        {"prefix": "/outlives/", "access": "signed_in", "streams": "outlive"},
        {"prefix": "/public-ends/", "access": "public", "streams": "end_with_session"},
    ])
}

fn start(key: &Key) -> Host {
    let mut host = Host::start(ENVOY, &following(&rules())).unwrap();
    poll(&mut host, &feed(&json!({"keys": keys("e1", &[key])})));
    host
}

/// Opens a stream of a session; its response has begun, and lasts.
fn open(host: &mut Host, path: &str, key: &Key, session: u64) -> u32 {
    let token = key.good_with(NOW, "sid", &session.to_string());
    open_with(host, path, &format!("access_token={token}"))
}

fn open_with(host: &mut Host, path: &str, cookie: &str) -> u32 {
    let stream = host.open(with_cookie(path, cookie, &[]));
    host.respond_before_body(stream, headers(&[(":status", "200")]));
    stream
}

/// Lets streams get older than requests that are never cut.
fn wait(host: &mut Host) {
    host.advance_in_ticks(600);
}

/// Ends sessions by the feed.
fn end_sessions(host: &mut Host, sessions: &[u64]) {
    let revoked: Vec<_> = sessions.iter().map(|session| json!([session, NOW + 4000])).collect();
    let revoked = json!({"revoked": {"sessions": revoked, "users": []}, "cursor": "c2"});
    poll(host, &feed(&revoked));
    host.tick();
}

fn closed(host: &Host, reason: &str) -> i64 {
    host.counter(&format!("edgeward_streams_closed.reason.{reason}"))
}

#[test]
fn streams_of_an_ended_session_are_closed_and_no_others() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let ending =
        ["/orders", "/public-ends/"].map(|path| [0; 2].map(|_: i32| open(&mut host, path, &key, 7))).concat();
    let staying = [
        open(&mut host, "/orders", &key, 8),
        open(&mut host, "/outlives/", &key, 7),
        open(&mut host, "/public/", &key, 7),
        open_with(&mut host, "/public-ends/", "a=1"),
    ];
    wait(&mut host);
    assert!(!ending.iter().any(|stream| host.is_closed(*stream)));
    end_sessions(&mut host, &[7]);
    assert!(ending.iter().all(|stream| host.is_closed(*stream)));
    assert!(!staying.iter().any(|stream| host.is_closed(*stream)));
    assert_eq!(closed(&host, "session_ended"), 4);
    let lines =
        host.log().iter().filter(|line| line.ends_with("open streams were closed: 4 for session_ended"));
    assert_eq!(lines.count(), 1);
    for stream in ending {
        let reason = ("edgeward.stream_end".to_owned(), "session_ended".to_owned());
        assert!(host.end(stream).properties.contains(&reason), "the access log has the reason");
    }
    for stream in staying {
        host.end(stream);
    }
    wait(&mut host);
    assert_eq!(closed(&host, "session_ended"), 4);
}

#[test]
fn stream_that_has_ended_is_not_closed_though_its_number_is_that_of_another() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let ended = open(&mut host, "/orders", &key, 7);
    host.end(ended);
    let open = open(&mut host, "/orders", &key, 8);
    wait(&mut host);
    end_sessions(&mut host, &[7]);
    assert!(!host.is_closed(open));
    assert_eq!(closed(&host, "session_ended"), 0);
}

#[test]
fn close_that_the_host_rejects_closes_no_other_stream() {
    for call in ["proxy_set_effective_context", "proxy_close_stream"] {
        let key = Key::generate("a");
        let mut host = start(&key);
        let streams = [7, 8].map(|session| open(&mut host, "/orders", &key, session));
        wait(&mut host);
        host.fail(call, 1);
        end_sessions(&mut host, &[7]);
        wait(&mut host);
        assert!(!streams.iter().any(|stream| host.is_closed(*stream)), "{call}");
        assert!(host.log().iter().any(|line| line.ends_with("session_ended")), "{call}: it was to be closed");
        let passed = host.request(with_cookie("/public/", "", &[]));
        assert!(passed.upstream.is_some(), "{call}");
    }
}

#[test]
fn streams_of_a_replaced_configuration_end_by_their_own_rules() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let [ending, staying] = ["/orders", "/outlives/"].map(|path| open(&mut host, path, &key, 7));
    let outlive_all = json!([{"prefix": "/", "access": "signed_in", "streams": "outlive"}]);
    let old = host.configure_beside(&following(&outlive_all));
    let new = open(&mut host, "/orders", &key, 7);
    for _ in 0..6 {
        host.tick_plugin(old);
        host.advance(100);
    }
    end_sessions(&mut host, &[7]);
    assert!(!host.is_closed(ending), "its plugin has not ticked");
    host.tick_plugin(old);
    assert!(host.is_closed(ending));
    assert!(![staying, new].iter().any(|stream| host.is_closed(*stream)));
    host.end(ending);
    host.end(staying);
    host.end_plugin(old);
    wait(&mut host);
    assert!(!host.is_closed(new));
}

/// Opens a stream whose token expires, and returns it with the check that the filter makes.
fn expire(host: &mut Host, key: &Key) -> (u32, Call) {
    let cookie = format!("access_token={}; refresh_token=old", key.good(NOW));
    let stream = open_with(host, "/orders", &cookie);
    wait(host);
    assert!(host.take_calls().is_empty());
    host.set_now(EXPIRED);
    host.tick();
    let call = host.take_call();
    assert!(!host.is_closed(stream));
    (stream, call)
}

fn alive(session: u64) -> String {
    json!({"until": EXPIRED + 100, "sid": session, "not_before": 0}).to_string()
}

#[test]
fn session_of_an_expired_token_is_checked_with_the_cookie_and_the_secret() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let (_, call) = expire(&mut host, &key);
    assert_eq!(call.cluster, "companion_internal");
    for (name, expected) in [
        (":method", "POST"),
        (":path", "/internal/edge-session"),
        ("cookie", "refresh_token=old"),
        ("authorization", "Bearer hunter2"),
    ] {
        assert_eq!(values(&call.headers, name), [expected]);
    }
    assert!(!host.log().iter().any(|line| line.contains("hunter2") || line.contains("old")));
}

#[test]
fn response_to_a_session_check_decides_on_the_stream() {
    let key = Key::generate("a");
    for (status, body, reason) in [
        (Some(200), alive(7), None),
        (Some(200), alive(8), Some("exp_passed")),
        (
            Some(200),
            alive(7).replace("\"not_before\":0", &format!("\"not_before\":{EXPIRED}")),
            Some("token_outdated"),
        ),
        (Some(401), String::new(), Some("exp_passed")),
        (Some(200), "{}".to_owned(), None),
        (Some(403), String::new(), None),
        (Some(503), String::new(), None),
        (None, String::new(), None),
    ] {
        let mut host = refreshing(&key);
        let (stream, call) = expire(&mut host, &key);
        host.complete_call(&call, status, body.as_bytes());
        host.tick();
        assert_eq!(host.is_closed(stream), reason.is_some(), "{status:?} {body}");
        assert!(reason.is_none_or(|reason| closed(&host, reason) == 1), "{status:?} {body}");
        host.complete_call(&call, Some(401), b"");
        host.tick();
        assert_eq!(
            host.is_closed(stream),
            reason.is_some(),
            "a response that is repeated: {status:?} {body}"
        );
    }
}

#[test]
fn session_check_that_the_host_rejects_is_made_again() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let cookie = format!("access_token={}; refresh_token=old", key.good(NOW));
    let stream = open_with(&mut host, "/orders", &cookie);
    wait(&mut host);
    host.fail("proxy_http_call", 2);
    host.set_now(EXPIRED);
    wait(&mut host);
    host.fail("", 0);
    assert!(host.take_calls().is_empty());
    host.set_now(EXPIRED + 11);
    host.tick();
    let call = host.take_call();
    host.complete_call(&call, Some(401), b"");
    host.tick();
    assert!(host.is_closed(stream));
}

#[test]
fn stream_without_a_refresh_section_ends_with_its_token() {
    let key = Key::generate("a");
    let mut host = start(&key);
    let stream = open(&mut host, "/orders", &key, 7);
    wait(&mut host);
    host.set_now(EXPIRED);
    host.tick();
    assert!(host.is_closed(stream));
    assert_eq!(closed(&host, "exp_passed"), 1);
}

#[test]
fn stream_of_a_request_that_was_held_is_followed_with_the_token_that_it_presented() {
    let key = Key::generate("a");
    let mut host = refreshing(&key);
    let stream = host.open(with_cookie("/orders", "refresh_token=old", &[]));
    let call = host.take_call();
    host.complete_call(&call, Some(200), granted(&key.good(NOW)).as_bytes());
    host.respond_before_body(stream, headers(&[(":status", "200")]));
    wait(&mut host);
    host.set_now(EXPIRED);
    host.tick();
    let call = host.take_call();
    assert_eq!(values(&call.headers, ":path"), ["/internal/edge-session"]);
    assert_eq!(values(&call.headers, "cookie"), ["refresh_token=old"]);
    host.complete_call(&call, Some(401), b"");
    host.tick();
    assert!(host.is_closed(stream));
}
