//! Compiled filter in the tests' host: requests that it admits, and requests that it rejects.

use edgeward_kit::host::Host;
use edgeward_kit::host::edge::{
    ENVOY, NOW, OTHER_PROXY, configuration, get, headers, rejected, upstream, with_keys,
};
use edgeward_kit::mint::{self, Key};
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn valid_token_becomes_headers_and_is_removed() {
    let key = Key::generate("a");
    for traits in [ENVOY, OTHER_PROXY] {
        let mut host = with_keys(traits, &[&key]);
        let cookie = format!("theme=dark; access_token={}; refresh_token=secret; lang=de", key.good(NOW));
        let exchange = get(&mut host, "/orders", &[("cookie", &cookie), ("accept", "*/*")]);
        assert_eq!(
            upstream(&exchange),
            [
                "accept: */*",
                "cookie: theme=dark; lang=de",
                "x-session-id: 7",
                "x-user-id: 42",
                "x-user-role: customer"
            ]
        );
        assert_eq!(host.verifications(), usize::from(traits.verify_signature));
    }
}

// holds: invariant 2, promise 1
#[test]
fn every_bad_token_is_rejected_for_its_own_reason_on_every_host() {
    let (key, other, stranger) = (Key::generate("a"), Key::generate("b"), Key::generate("a"));
    for traits in [ENVOY, OTHER_PROXY] {
        let mut host = with_keys(traits, &[&key, &other]);
        for bad in mint::bad_tokens(&key, &stranger, NOW) {
            let exchange = get(&mut host, "/orders", &[("cookie", &format!("access_token={}", bad.token))]);
            assert_eq!(rejected(&exchange), (401, bad.label), "{}", bad.name);
            let public = get(&mut host, "/public/", &[("cookie", &format!("access_token={}", bad.token))]);
            assert_eq!(upstream(&public), Vec::<String>::new(), "{}", bad.name);
        }
        assert_eq!(host.counter("edgeward_refused.reason.exp_passed"), 5);
        for (name, payload) in mint::good_payloads(NOW) {
            let cookie = format!("access_token={}", key.token(&key.header(), &payload));
            assert!(get(&mut host, "/orders", &[("cookie", &cookie)]).upstream.is_some(), "{name}");
        }
    }
}

// holds: invariant 1, promise 1
#[test]
fn forged_identity_headers_are_removed_on_every_route() {
    let key = Key::generate("a");
    let mut host = with_keys(ENVOY, &[&key]);
    let good = format!("access_token={}", key.good(NOW));
    let forged = [
        ("x-user-id", "1"),
        ("x-user-id", "2"),
        ("x_user_id", "3"),
        ("X-User-Role", "admin"),
        ("x-user_role", "admin"),
        ("x_session_id", "9"),
        ("x-user-idea", "mine"),
    ];
    assert_eq!(upstream(&get(&mut host, "/public/", &forged)), ["x-user-idea: mine"]);
    let signed_in = get(&mut host, "/orders", &[&forged[..], &[("cookie", &good)]].concat());
    assert_eq!(
        upstream(&signed_in),
        ["x-session-id: 7", "x-user-id: 42", "x-user-idea: mine", "x-user-role: customer"]
    );
    let trailers = host.trailers(headers(&[("x-user-id", "1"), ("grpc-status", "0")])).unwrap();
    assert_eq!(trailers, headers(&[("grpc-status", "0")]));
}

#[test]
fn two_live_configurations_apply_each_to_its_own_requests() {
    let key = Key::generate("a");
    let good = format!("access_token={}", key.good(NOW));
    let with = |name: &str| {
        configuration(&json!({"keys": {"inline": mint::jwks(&[&key])}, "headers": {"user_id": name}}))
    };
    let mut host = Host::start(ENVOY, &with("x-old")).unwrap();
    let both = || headers(&[("x-old", "1"), ("x-new", "2"), ("grpc-status", "0")]);
    assert_eq!(host.trailers(both()).unwrap(), headers(&[("x-new", "2"), ("grpc-status", "0")]));
    let stream = host.create(headers(&[(":method", "GET"), (":path", "/orders"), ("cookie", &good)]));
    let old = host.configure_beside(&with("x-new"));
    host.send_head(stream);
    assert!(upstream(&host.end(stream)).contains(&"x-old: 42".to_owned()));
    assert!(upstream(&get(&mut host, "/orders", &[("cookie", &good)])).contains(&"x-new: 42".to_owned()));
    assert_eq!(host.trailers(both()).unwrap(), headers(&[("grpc-status", "0")]));
    host.end_plugin(old);
    assert_eq!(host.trailers(both()).unwrap(), headers(&[("x-old", "1"), ("grpc-status", "0")]));
}

#[test]
fn host_may_create_streams_long_before_their_heads_arrive() {
    let key = Key::generate("a");
    let mut host = with_keys(ENVOY, &[&key]);
    let good = format!("access_token={}", key.good(NOW));
    let head = |path| headers(&[(":method", "GET"), (":path", path), ("cookie", &good)]);
    let streams: Vec<u32> = (0..64).map(|_| host.create(head("/orders"))).collect();
    for stream in streams {
        host.send_head(stream);
        assert!(host.end(stream).upstream.is_some());
    }
    // With one stream more, the first one is dropped, and its request is rejected.
    let first = host.create(head("/orders"));
    for _ in 0..64 {
        host.create(head("/orders"));
    }
    host.send_head(first);
    assert_eq!(host.end(first).local_reply.unwrap().status, 503);
}

#[test]
fn foreign_cookies_pass_unchanged_and_ours_only_where_forwarded() {
    let key = Key::generate("a");
    let mut host = with_keys(ENVOY, &[&key]);
    let token = key.good(NOW);
    let ours = format!("access_token={token}; refresh_token=r");
    let get_cookies = |host: &mut Host, path: &str, cookies: &[&str]| {
        let lines: Vec<(&str, &str)> = cookies.iter().map(|cookie| ("cookie", *cookie)).collect();
        let lines = upstream(&get(host, path, &lines));
        lines.into_iter().filter(|line| line.starts_with("cookie")).collect::<Vec<_>>()
    };
    assert_eq!(get_cookies(&mut host, "/orders", &[&ours]), Vec::<String>::new());
    assert_eq!(
        get_cookies(&mut host, "/orders", &["a=\"1\" ;b", &ours, "c= 2"]),
        ["cookie: a=\"1\" ;b", "cookie: c= 2"].map(|line| line.replace('"', "\\\""))
    );
    assert_eq!(get_cookies(&mut host, "/public/", &["refresh_token=r; a=1"]), ["cookie: a=1"]);
    assert_eq!(get_cookies(&mut host, "/api/auth/self", &[&ours]), [format!("cookie: {ours}")]);
}

// holds: invariant 7
#[test]
fn local_replies_never_reveal_the_reason() {
    let key = Key::generate("a");
    let mut host = with_keys(ENVOY, &[&key]);
    let admin = format!("access_token={}", key.good_with(NOW, "role", "\"admin\""));
    let customer = format!("access_token={}", key.good(NOW));
    let expired = format!("access_token={}", key.good_with(NOW, "exp", "1"));
    assert_eq!(upstream(&get(&mut host, "/admin/x", &[("cookie", &admin)]))[1], "x-user-id: 42");
    let mut reply =
        |path: &str, cookie: &str| get(&mut host, path, &[("cookie", cookie)]).local_reply.unwrap();
    assert_snapshot!(reply("/orders", ""), @r#"
    401 (edgeward_cookie_missing)
    content-type: application/json
    cache-control: no-store
    www-authenticate: Cookie realm="edgeward", cookie-name="access_token"

    {"message":"Not signed in","errors":[{"type":"unauthorized","msg":"Not signed in","path":"","location":"","code":"not_signed_in"}]}
    "#);
    assert_snapshot!(reply("/orders", &expired), @r#"
    401 (edgeward_exp_passed)
    content-type: application/json
    cache-control: no-store
    www-authenticate: Cookie realm="edgeward", cookie-name="access_token"

    {"message":"Not signed in","errors":[{"type":"unauthorized","msg":"Not signed in","path":"","location":"","code":"not_signed_in"}]}
    "#);
    assert_snapshot!(reply("/admin/x", &customer), @r#"
    403 (edgeward_role_insufficient)
    content-type: application/json
    cache-control: no-store

    {"message":"Not allowed","errors":[{"type":"forbidden","msg":"Not allowed","path":"","location":"","code":"not_allowed"}]}
    "#);
    assert_snapshot!(reply("/a%2fb", ""), @r#"
    400 (edgeward_path_escaped_slash)
    content-type: application/json
    cache-control: no-store

    {"message":"The request can't be processed","errors":[{"type":"bad_request","msg":"The request can't be processed","path":"","location":"","code":"bad_request"}]}
    "#);
}

// holds: invariant 1, promise 1
#[test]
fn navigation_is_redirected_to_the_login_and_a_preflight_passes() {
    let mut host = with_keys(ENVOY, &[&Key::generate("a")]);
    let sent = get(&mut host, "/orders?page=2", &[("sec-fetch-mode", "navigate")]).local_reply.unwrap();
    assert_snapshot!(sent, @"
    302 (edgeward_cookie_missing)
    location: /login?return_to=/orders%3Fpage%3D2
    cache-control: no-store
    ");
    let preflight = host.request(headers(&[
        (":method", "OPTIONS"),
        (":path", "/orders"),
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
        ("x-user-id", "1"),
    ]));
    assert_eq!(upstream(&preflight), ["access-control-request-method: PUT", "origin: https://app.example"]);
}

// holds: invariant 1, promise 1
#[test]
fn upgrade_removes_none_of_our_headers_at_the_next_hop() {
    let key = Key::generate("a");
    let mut host = with_keys(ENVOY, &[&key]);
    let cookie = format!("access_token={}", key.good(NOW));
    let named = [("cookie", cookie.as_str()), ("connection", "Upgrade, X-User-Id"), ("upgrade", "websocket")];
    let upgrade = get(&mut host, "/socket", &named);
    assert!(upstream(&upgrade).contains(&"connection: upgrade".to_owned()), "{upgrade:?}");
    let by_post =
        host.request(headers(&[&[(":method", "POST"), (":path", "/public/")], &named[..]].concat()));
    assert_eq!(rejected(&by_post), (400, "upgrade_unexpected"));
    let cross_site = get(&mut host, "/socket", &[&named[..], &[("origin", "https://evil.example")]].concat());
    assert_eq!(rejected(&cross_site), (403, "cross_site"));
}

#[test]
fn configuration_with_mistakes_does_not_load_and_the_log_names_all() {
    let mistakes = |configuration: &str| match Host::start(ENVOY, configuration) {
        Ok(_) => panic!("{configuration} was loaded"),
        Err(log) => log,
    };
    assert_eq!(
        mistakes(r#"{"issuer": "", "rules": [{"prefix": "/x", "access": "open"}], "more": 1}"#),
        [
            "edgeward: issuer must not be empty",
            "edgeward: the configuration needs `keys` or `feed`: without them no token could ever be verified",
            "edgeward: rules[0].access must be one of: public, signed_in",
            "edgeward: more is not known",
        ]
    );
    assert_eq!(
        mistakes("{"),
        ["edgeward: the configuration is not JSON: EOF while parsing an object at line 1 column 1"]
    );
}
