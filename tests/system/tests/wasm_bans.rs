//! Compiled filter and bans: attempts and held requests of banned networks get a local reply.

use edgeward_kit::host::edge::{ENVOY, NOW, configuration, feed, headers, keys, rejected};
use edgeward_kit::host::follower::{following, poll};
use edgeward_kit::host::refresh::with_cookie;
use edgeward_kit::host::{Exchange, Headers, Host};
use edgeward_kit::mint::Key;
use insta::assert_snapshot;
use serde_json::{Value, json};

const BANNED: &str = "192.0.2.7:1234";

fn bans(list: &Value) -> Value {
    json!({"etag": "b1", "list": list})
}

/// Starts a filter that has received these bans, and holds requests.
fn with_bans(key: &Key, list: &Value) -> Host {
    let cluster = json!({"cluster": "companion_internal"});
    let mut host = Host::start(ENVOY, &configuration(&json!({"feed": cluster, "refresh": cluster}))).unwrap();
    poll(&mut host, &feed(&json!({"keys": keys("e1", &[key]), "bans": bans(list)})));
    host
}

fn both_kinds(network: &str, until: u64) -> Value {
    json!([[network, "credentials", until], [network, "refresh", until]])
}

fn post(path: &str) -> Headers {
    headers(&[(":method", "POST"), (":path", path), (":authority", "shop.example"), (":scheme", "https")])
}

fn request(host: &mut Host, client: &str, head: Headers) -> Exchange {
    host.set_client(client);
    host.request(head)
}

#[test]
fn banned_network_may_not_log_in_until_its_ban_ends() {
    let mut host = with_bans(&Key::generate("a"), &both_kinds("192.0.2.0/24", NOW + 60));
    for page in ["/auth/sign-in", "/auth/factor", "/auth/register"] {
        assert_eq!(rejected(&request(&mut host, BANNED, post(page))), (429, "network_banned"));
    }
    for path in ["/api/auth/login", "/api/auth/login/factor", "/api/auth/register"] {
        assert_eq!(rejected(&request(&mut host, BANNED, post(path))), (429, "network_banned"));
        for other in ["198.51.100.7:1234", "[2001:db8::7]:0", "not an address"] {
            assert!(request(&mut host, other, post(path)).upstream.is_some(), "{path} from {other}");
        }
    }
    for path in ["/api/auth/refresh", "/api/auth/logout", "/public/"] {
        assert!(request(&mut host, BANNED, post(path)).upstream.is_some(), "{path}");
    }
    assert_eq!(host.counter("edgeward_refused.reason.network_banned"), 6);
    host.set_now(NOW + 60);
    assert!(request(&mut host, BANNED, post("/api/auth/login")).upstream.is_some());
}

#[test]
fn reply_says_how_long_to_wait_and_the_log_says_why() {
    let mut host = with_bans(&Key::generate("a"), &both_kinds("192.0.2.0/24", NOW + 60));
    let reply = request(&mut host, BANNED, post("/api/auth/login"));
    let details = reply.properties.iter().find(|(name, _)| name == "edgeward.rejection_details").unwrap();
    assert_eq!(details.1, "the client's network 192.0.2.0/24 is banned for another 58 s (until 1800000060)");
    assert_snapshot!(reply.local_reply.unwrap(), @r#"
    429 (edgeward_network_banned)
    content-type: application/json
    cache-control: no-store
    retry-after: 58
    ratelimit: "attempts";r=0;t=58

    {"message":"Too many attempts, please try again later","errors":[{"type":"too_many_attempts","msg":"Too many attempts, please try again later","path":"","location":"","code":"too_many_attempts"}]}
    "#);
}

#[test]
fn banned_network_has_no_request_held_and_keeps_its_cookies() {
    let key = Key::generate("a");
    let mut host = with_bans(&key, &both_kinds("192.0.2.0/24", NOW + 60));
    let reply = request(&mut host, BANNED, with_cookie("/orders", "refresh_token=r", &[]));
    assert_eq!(rejected(&reply), (429, "network_banned"));
    let fields = reply.local_reply.unwrap().headers;
    assert!(!fields.iter().any(|(name, _)| name == b"set-cookie"), "{fields:?}");
    assert_eq!(host.take_calls().len(), 0, "the companion is not asked");
    let valid = format!("access_token={}; refresh_token=r", key.good(NOW));
    assert!(request(&mut host, BANNED, with_cookie("/orders", &valid, &[])).upstream.is_some());
    host.set_client("198.51.100.7:1234");
    let held = host.open(with_cookie("/orders", "refresh_token=r", &[]));
    assert!(host.is_held(held));
}

#[test]
fn all_workers_have_the_bans_and_an_older_companion_changes_none() {
    let key = Key::generate("a");
    let mut first = with_bans(&key, &both_kinds("192.0.2.0/24", NOW + 60));
    let mut second = first.start_beside(&following("companion_internal", &json!({}))).unwrap();
    second.advance(100);
    let path = poll(&mut first, &feed(&json!({"cursor": "c2"})));
    assert_eq!(path, "/internal/edge-feed?after=c1&keys=e1&bans=b1");
    for host in [&mut first, &mut second] {
        assert_eq!(rejected(&request(host, BANNED, post("/api/auth/login"))), (429, "network_banned"));
        host.advance(2000);
        assert_eq!(host.counter("edgeward_bans"), 2);
    }
}

#[test]
fn longest_list_of_bans_is_applied() {
    let network = |at: usize| json!([format!("10.{}.{}.0/24", at / 256, at % 256), "credentials", NOW + 600]);
    let mut host = with_bans(&Key::generate("a"), &(0..4096).map(network).collect());
    let last = request(&mut host, "10.15.255.9:1", post("/api/auth/login"));
    assert_eq!(rejected(&last), (429, "network_banned"));
    assert!(request(&mut host, "10.16.0.9:1", post("/api/auth/login")).upstream.is_some());
}

#[test]
fn entry_without_a_network_is_skipped_and_logged() {
    let list = json!([["192.0.2.0", "credentials", NOW + 600], ["192.0.2.0/24", "credentials", NOW + 600]]);
    let mut host = with_bans(&Key::generate("a"), &list);
    let reply = request(&mut host, BANNED, post("/api/auth/login"));
    assert_eq!(rejected(&reply), (429, "network_banned"));
    let lines = host.log().iter().filter(|line| line.contains("skipped 1 of the bans"));
    assert_eq!(lines.count(), 1);
}

#[test]
fn device_cookie_passes_in_spite_of_a_ban() {
    let mut host = with_bans(&Key::generate("a"), &both_kinds("192.0.2.0/24", NOW + 60));
    for name in ["device_token", "__Secure-device_token"] {
        let mut head = post("/api/auth/login");
        head.extend(headers(&[("cookie", &format!("{name}=d"))]));
        let upstream = request(&mut host, BANNED, head).upstream.expect("a request");
        assert!(upstream.iter().any(|(field, value)| field == b"cookie" && value.ends_with(b"=d")));
    }
}
