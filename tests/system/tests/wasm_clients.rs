//! Compiled filter and ordinary clients: pages of other origins, health checks, machines with different clocks.

use edgeward_kit::host::edge::{ENVOY, NOW, configuration, feed, get, headers, keys, rejected, with_keys};
use edgeward_kit::host::{Headers, Host};
use edgeward_kit::mint::{self, Key};
use serde_json::json;

const APP: (&str, &str) = ("origin", "https://app.example");

fn with_origins(key: &Key) -> Host {
    let changes = json!({
        "keys": {"inline": mint::jwks(&[key])},
        "allowed_origins": [APP.1, "capacitor://localhost"],
    });
    Host::start(ENVOY, &configuration(&changes)).unwrap()
}

fn request(method: &str, path: &str, more: &[(&str, &str)]) -> Headers {
    headers(&[&[(":method", method), (":path", path), (":authority", "shop.example")], more].concat())
}

/// CORS headers of a response, in a fixed order.
fn cors(headers: &Headers) -> Vec<String> {
    let line =
        |(name, value): &(Vec<u8>, Vec<u8>)| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
    let is_cors = |line: &String| line.starts_with("access-control-") || line.starts_with("vary");
    let mut lines: Vec<String> = headers.iter().map(line).filter(is_cors).collect();
    lines.sort();
    lines
}

const READABLE: [&str; 4] = [
    "access-control-allow-credentials: true",
    "access-control-allow-origin: https://app.example",
    "access-control-expose-headers: ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id",
    "vary: origin",
];

#[test]
fn only_pages_of_allowed_origins_can_read_a_rejection() {
    let key = Key::generate("a");
    let mut host = with_origins(&key);
    let customer = format!("access_token={}", key.good(NOW));
    for (path, cookie, status) in
        [("/orders", "", 401), ("/admin/", customer.as_str(), 403), ("/a//b", "", 400)]
    {
        let reply = get(&mut host, path, &[APP, ("cookie", cookie)]).local_reply.unwrap();
        assert_eq!((reply.status, cors(&reply.headers)), (status, READABLE.map(str::to_owned).to_vec()));
        for origin in ["https://evil.example", "null", "https://shop.example"] {
            let reply = get(&mut host, path, &[("origin", origin), ("cookie", cookie)]).local_reply.unwrap();
            assert_eq!((reply.status, cors(&reply.headers)), (status, vec![]), "{origin}");
        }
    }
    let app = get(&mut host, "/orders", &[("origin", "capacitor://localhost")]).local_reply.unwrap();
    assert!(cors(&app.headers).contains(&"access-control-allow-origin: capacitor://localhost".to_owned()));
    let mut unready =
        Host::start(ENVOY, &configuration(&json!({"feed": {"cluster": "c"}, "allowed_origins": [APP.1]})))
            .unwrap();
    let reply = get(&mut unready, "/orders", &[APP]).local_reply.unwrap();
    assert_eq!((reply.status, cors(&reply.headers)), (503, READABLE.map(str::to_owned).to_vec()));
}

#[test]
fn only_replies_of_the_gateway_itself_are_made_readable() {
    let key = Key::generate("a");
    let mut host = with_origins(&key);
    let cookie = format!("access_token={}", key.good(NOW));
    let head = |origin: &str| request("GET", "/orders", &[("cookie", &cookie), ("origin", origin)]);
    let stream = host.open(head(APP.1));
    assert_eq!(cors(&host.respond_itself(stream, headers(&[(":status", "504")]))), READABLE);
    let stream = host.open(head(APP.1));
    assert_eq!(cors(&host.respond(stream, headers(&[(":status", "200")]))), Vec::<String>::new());
    let stream = host.open(head("https://evil.example"));
    assert_eq!(cors(&host.respond_itself(stream, headers(&[(":status", "504")]))), Vec::<String>::new());
    // The upstream's own header fields stay.
    let theirs = headers(&[(":status", "504"), ("access-control-allow-origin", "https://other.example")]);
    let stream = host.open(head(APP.1));
    assert_eq!(cors(&host.respond_itself(stream, theirs.clone())), cors(&theirs));
}

#[test]
fn preflight_of_an_allowed_origin_succeeds_with_any_upstream_status() {
    let key = Key::generate("a");
    let mut host = with_origins(&key);
    let preflight =
        [("access-control-request-method", "PUT"), ("access-control-request-headers", "baggage,x-a")];
    let head =
        |origin: &str| request("OPTIONS", "/orders", &[&preflight[..], &[("origin", origin)]].concat());
    for status in ["200", "401", "403", "404", "405", "504"] {
        let stream = host.open(head(APP.1));
        let response = host.respond(stream, headers(&[(":status", status)]));
        assert!(response.contains(&(b":status".to_vec(), b"200".to_vec())), "{status}: {response:?}");
        assert_eq!(
            cors(&response),
            [
                "access-control-allow-credentials: true",
                "access-control-allow-headers: baggage,x-a",
                "access-control-allow-methods: PUT",
                "access-control-allow-origin: https://app.example",
                "access-control-max-age: 600",
                "vary: origin",
            ]
        );
    }
    let stream = host.open(head("https://evil.example"));
    let rejected = headers(&[(":status", "405")]);
    assert_eq!(host.respond(stream, rejected.clone()), rejected);
    // An upstream with any CORS header field has decided, even if it omits the origin.
    for theirs in [
        headers(&[(":status", "204"), ("access-control-allow-origin", APP.1)]),
        headers(&[(":status", "204"), ("access-control-allow-credentials", "true")]),
        headers(&[(":status", "403"), ("access-control-allow-methods", "GET")]),
    ] {
        let stream = host.open(head(APP.1));
        assert_eq!(host.respond(stream, theirs.clone()), theirs);
    }
}

#[test]
fn preflight_of_a_rejected_request_succeeds_so_that_it_is_readable() {
    let key = Key::generate("a");
    let mut host = with_origins(&key);
    let preflight = [APP, ("access-control-request-method", "PUT")];
    let stream = host.open(request("OPTIONS", "/a;b", &preflight));
    let reply = host.end(stream).local_reply.unwrap();
    assert_eq!(reply.status, 200);
    assert!(cors(&reply.headers).contains(&"access-control-allow-methods: PUT".to_owned()));
}

#[test]
fn ready_path_reports_when_the_first_request_can_pass() {
    let key = Key::generate("a");
    let changes = json!({"feed": {"cluster": "companion_internal"}, "ready_path": "/readyz"});
    let mut host = Host::start(ENVOY, &configuration(&changes)).unwrap();
    let ready = |host: &mut Host| {
        let reply = get(host, "/readyz", &[]).local_reply.unwrap();
        (reply.status, reply.details, reply.body)
    };
    let unready = |label: &str| (503, format!("edgeward_{label}"), "not ready\n".to_owned());
    assert_eq!(ready(&mut host), unready("keys_unknown"));
    host.tick();
    for (more, expected) in [
        (true, unready("revocations_unknown")),
        (false, (200, "edgeward_ready".to_owned(), "ready\n".to_owned())),
    ] {
        let calls = host.take_calls();
        let body = feed(&json!({"keys": keys("e1", &[&key]), "more": more}));
        host.complete_call(&calls[0], Some(200), &body);
        assert_eq!(ready(&mut host), expected);
    }
    assert_eq!(host.counter("edgeward_refused.reason.keys_unknown"), 0, "no request was rejected");
    let mut without = with_keys(ENVOY, &[&key]);
    assert_eq!(rejected(&get(&mut without, "/readyz", &[])), (401, "cookie_missing"));
}

#[test]
fn clock_of_the_companion_may_be_ahead_and_the_log_names_it() {
    let key = Key::generate("a");
    // The last case is several companions of which one is ahead.
    for (aheads, logged) in
        [([0; 3], None), ([2; 3], None), ([8; 3], Some(8)), ([60; 3], Some(60)), ([8, 0, 8], Some(8))]
    {
        let mut host =
            Host::start(ENVOY, &configuration(&json!({"feed": {"cluster": "companion_internal"}}))).unwrap();
        host.tick();
        for ahead in aheads {
            let calls = host.take_calls();
            let body = feed(&json!({"keys": keys("e1", &[&key]), "at": NOW + ahead}));
            host.complete_call(&calls[0], Some(200), &body);
            let cookie = format!("access_token={}", key.good(NOW + ahead));
            assert!(get(&mut host, "/orders", &[("cookie", &cookie)]).upstream.is_some(), "{ahead}");
            host.advance(1500);
            host.set_now(NOW);
        }
        let gap = |line: &String| {
            let (_, gap) = line.split_once("the companion's clock is ")?;
            gap.split_once(" s ahead of this machine's")?.0.parse().ok()
        };
        let lines: Vec<i64> = host.log().iter().filter_map(gap).collect();
        assert_eq!(lines, Vec::from_iter(logged), "{aheads:?}");
    }
}

#[test]
fn new_token_of_a_clock_far_ahead_is_rejected_as_clocks_apart() {
    let key = Key::generate("a");
    let changes =
        json!({"keys": {"inline": mint::jwks(&[&key])}, "refresh": {"cluster": "companion_internal"}});
    let mut host = Host::start(ENVOY, &configuration(&changes)).unwrap();
    let stream = host.open(request("GET", "/orders", &[("cookie", "refresh_token=r")]));
    let calls = host.take_calls();
    let body = json!({"access_token": key.good(NOW + 90), "set_cookies": []}).to_string();
    host.complete_call(&calls[0], Some(200), body.as_bytes());
    assert_eq!(rejected(&host.end(stream)), (503, "clocks_apart"));
}
