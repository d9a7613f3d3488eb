//! The compiled filter in a host of its own: what the real .wasm lets through, what it refuses, and what it
//! makes of the edge feed.

use edgeward_tests::host::{CALLS, Call, Exchange, Headers, Host, Traits};
use edgeward_tests::mint::{self, Key};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const ENVOY: Traits = Traits { verify_signature: true, now: NOW, fault: None };
const OTHER_PROXY: Traits = Traits { verify_signature: false, now: NOW, fault: None };

fn configuration(changes: &Value) -> String {
    let mut whole = json!({
        "issuer": mint::NAME,
        "login_url": "/login",
        "rules": [
            {"prefix": "/public/", "access": "public"},
            {"prefix": "/api/auth/", "access": "public", "forward_cookies": true},
            {"prefix": "/admin/", "roles": ["admin"]},
        ],
    });
    whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    whole.to_string()
}

fn with_keys(traits: Traits, keys: &[&Key]) -> Host {
    Host::start(traits, &configuration(&json!({"keys": {"inline": mint::jwks(keys)}}))).unwrap()
}

fn with_feed() -> Host {
    Host::start(ENVOY, &configuration(&json!({"feed": {"cluster": "companion_internal"}}))).unwrap()
}

fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// A GET of a path with these headers besides.
fn get(host: &mut Host, path: &str, more: &[(&str, &str)]) -> Exchange {
    let head = [(":method", "GET"), (":path", path), (":authority", "shop.example"), (":scheme", "https")];
    host.request(headers(&[&head, more].concat()))
}

/// What the upstream gets besides the pseudo-headers, in a fixed order.
fn upstream(exchange: &Exchange) -> Vec<String> {
    let headers = exchange.upstream.as_ref().unwrap_or_else(|| panic!("went nowhere: {exchange:?}"));
    let lines =
        headers.iter().map(|(name, value)| format!("{}: {}", name.escape_ascii(), value.escape_ascii()));
    let mut lines: Vec<String> = lines.filter(|line| !line.starts_with(':')).collect();
    lines.sort();
    lines
}

fn refused(exchange: &Exchange) -> (u32, &str) {
    assert!(exchange.upstream.is_none(), "went upstream: {exchange:?}");
    let reason = exchange.properties.iter().find(|(name, _)| name == "edgeward.rejection");
    (exchange.answer.as_ref().map_or(0, |answer| answer.status), reason.map_or("", |(_, label)| label))
}

#[test]
fn a_good_token_becomes_headers_and_stays_behind() {
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
        assert_eq!(exchange.properties, [("edgeward.user_id".to_owned(), "42".to_owned())]);
        assert_eq!(host.verifications(), usize::from(traits.verify_signature));
    }
}

#[test]
fn every_bad_token_is_refused_for_its_own_reason_on_every_host() {
    let (key, other, stranger) = (Key::generate("a"), Key::generate("b"), Key::generate("a"));
    for traits in [ENVOY, OTHER_PROXY] {
        let mut host = with_keys(traits, &[&key, &other]);
        for bad in mint::bad_tokens(&key, &stranger, NOW) {
            let exchange = get(&mut host, "/orders", &[("cookie", &format!("access_token={}", bad.token))]);
            assert_eq!(refused(&exchange), (401, bad.label), "{}", bad.name);
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

#[test]
fn forged_identity_headers_go_no_further_on_any_route() {
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
fn cookies_of_others_stay_byte_for_byte_and_ours_stay_where_they_are_asked_for() {
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

#[test]
fn what_the_client_is_told_never_says_why() {
    let key = Key::generate("a");
    let mut host = with_keys(ENVOY, &[&key]);
    let admin = format!("access_token={}", key.good_with(NOW, "role", "\"admin\""));
    let customer = format!("access_token={}", key.good(NOW));
    let expired = format!("access_token={}", key.good_with(NOW, "exp", "1"));
    let answer = |exchange: Exchange| {
        let answer = exchange.answer.unwrap();
        let names: Vec<String> =
            answer.headers.iter().map(|(name, _)| name.escape_ascii().to_string()).collect();
        (answer.status, answer.details, names.join(" "), answer.body)
    };
    let body = |kind: &str, message: &str| json!({"message": message, "errors": [{"type": kind, "msg": message, "path": "", "location": ""}]});
    let check =
        |told: (u32, String, String, String), status: u32, details: &str, names: &str, expected: Value| {
            assert_eq!((told.0, told.1.as_str(), told.2.as_str()), (status, details, names));
            assert_eq!(serde_json::from_str::<Value>(&told.3).unwrap(), expected);
        };
    assert_eq!(upstream(&get(&mut host, "/admin/x", &[("cookie", &admin)]))[1], "x-user-id: 42");
    let plain = "content-type cache-control";
    let challenged = "content-type cache-control www-authenticate";
    let unauthorized = || body("unauthorized", "Not signed in");
    check(answer(get(&mut host, "/orders", &[])), 401, "edgeward_cookie_missing", challenged, unauthorized());
    check(
        answer(get(&mut host, "/orders", &[("cookie", &expired)])),
        401,
        "edgeward_exp_passed",
        challenged,
        unauthorized(),
    );
    check(
        answer(get(&mut host, "/admin/x", &[("cookie", &customer)])),
        403,
        "edgeward_role_insufficient",
        plain,
        body("forbidden", "Not allowed"),
    );
    check(
        answer(get(&mut host, "/a%2fb", &[])),
        400,
        "edgeward_path_escaped_slash",
        plain,
        body("bad_request", "The request can't be processed"),
    );
}

#[test]
fn a_browser_is_sent_to_log_in_and_a_preflight_passes() {
    let mut host = with_keys(ENVOY, &[&Key::generate("a")]);
    let sent = get(&mut host, "/orders?page=2", &[("sec-fetch-mode", "navigate")]).answer.unwrap();
    assert_eq!(sent.status, 302);
    let location = (b"location".to_vec(), b"/login?return_to=/orders%3Fpage%3D2".to_vec());
    assert!(sent.headers.contains(&location), "{sent:?}");
    let preflight = host.request(headers(&[
        (":method", "OPTIONS"),
        (":path", "/orders"),
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
        ("x-user-id", "1"),
    ]));
    assert_eq!(upstream(&preflight), ["access-control-request-method: PUT", "origin: https://app.example"]);
}

#[test]
fn an_upgrade_takes_no_header_of_ours_away_at_the_next_hop() {
    let key = Key::generate("a");
    let mut host = with_keys(ENVOY, &[&key]);
    let cookie = format!("access_token={}", key.good(NOW));
    let named = [("cookie", cookie.as_str()), ("connection", "Upgrade, X-User-Id"), ("upgrade", "websocket")];
    let upgrade = get(&mut host, "/socket", &named);
    assert!(upstream(&upgrade).contains(&"connection: upgrade".to_owned()), "{upgrade:?}");
    let by_post =
        host.request(headers(&[&[(":method", "POST"), (":path", "/public/")], &named[..]].concat()));
    assert_eq!(refused(&by_post), (400, "upgrade_unexpected"));
    let cross_site = get(&mut host, "/socket", &[&named[..], &[("origin", "https://evil.example")]].concat());
    assert_eq!(refused(&cross_site), (403, "cross_site"));
}

#[test]
fn what_the_feed_told_is_good_for_as_long_as_the_configuration_says() {
    let key = Key::generate("a");
    let cookie = format!("access_token={}", key.good(NOW));
    for (when_stale, expected) in [("allow", None), ("deny", Some((503, "feed_stale")))] {
        let feed = json!({"cluster": "c", "max_staleness_seconds": 10, "when_stale": when_stale});
        let keys = json!({"inline": mint::jwks(&[&key])});
        let mut host = Host::start(ENVOY, &configuration(&json!({"feed": feed, "keys": keys}))).unwrap();
        for (now, stale) in [(NOW + 10, false), (NOW + 11, true)] {
            host.set_now(now);
            let exchange = get(&mut host, "/orders", &[("cookie", &cookie)]);
            match expected.filter(|_| stale) {
                Some(expected) => assert_eq!(refused(&exchange), expected),
                None => assert!(exchange.upstream.is_some(), "{when_stale} {now}: {exchange:?}"),
            }
        }
    }
}

#[test]
fn a_wrong_configuration_does_not_load_and_the_log_names_every_mistake() {
    let refused = |configuration: &str| match Host::start(ENVOY, configuration) {
        Ok(_) => panic!("{configuration} was loaded"),
        Err(log) => log,
    };
    assert_eq!(
        refused(r#"{"issuer": "", "rules": [{"prefix": "/x", "access": "open"}], "more": 1}"#),
        [
            "edgeward: issuer must be a text of visible ASCII characters",
            "edgeward: the configuration needs `keys` or `feed`: without them no token could ever be verified",
            "edgeward: rules[0].access must be one of: public, signed_in",
            "edgeward: more is not known",
        ]
    );
    assert_eq!(
        refused("{"),
        ["edgeward: the configuration is not JSON: EOF while parsing an object at line 1 column 1"]
    );
}

#[test]
fn without_a_key_protected_routes_answer_503_until_the_feed_brings_one() {
    let key = Key::generate("a");
    let cookie = format!("access_token={}", key.good(NOW));
    let mut host = with_feed();
    let waiting = get(&mut host, "/orders", &[("cookie", &cookie)]);
    assert_eq!(refused(&waiting), (503, "keys_unknown"));
    assert!(waiting.answer.unwrap().headers.contains(&(b"retry-after".to_vec(), b"1".to_vec())));
    assert!(get(&mut host, "/public/", &[]).upstream.is_some());

    host.tick();
    host.tick();
    let [call] = &host.take_calls()[..] else { panic!("one call at a time") };
    assert_eq!(call.cluster, "companion_internal");
    assert!(call.headers.contains(&(b":path".to_vec(), b"/internal/edge-feed?keys=".to_vec())));
    let feed = json!({"keys": {"etag": "e1", "set": mint::jwks(&[&key])}}).to_string();
    host.answer(call, Some(200), feed.as_bytes());
    assert_eq!(upstream(&get(&mut host, "/orders", &[("cookie", &cookie)]))[1], "x-user-id: 42");
}

#[test]
fn the_last_good_keys_stay_whatever_the_feed_says() {
    let (key, next) = (Key::generate("a"), Key::generate("b"));
    let cookie = format!("access_token={}", key.good(NOW));
    let mut host = with_feed();
    let poll = |host: &mut Host, now: u64| {
        host.set_now(now);
        host.tick();
        host.take_calls().pop().unwrap_or_else(|| panic!("no call at {now}"))
    };
    let call = poll(&mut host, NOW);
    host.answer(
        &call,
        Some(200),
        json!({"keys": {"etag": "e1", "set": mint::jwks(&[&key])}}).to_string().as_bytes(),
    );
    let weak = json!({"keys": {"etag": "e2", "set": {"keys": [{"kty": "RSA", "kid": "w", "n": "AQAB", "e": "AQAB"}]}}});
    for (status, body) in [
        (Some(200), r#"{"keys":{"etag":"e1"}}"#.to_owned()),
        (Some(500), String::new()),
        (None, String::new()),
        (Some(200), String::new()),
        (Some(200), "{}".to_owned()),
        (Some(200), json!({"keys": {"etag": "e2", "set": {"keys": []}}}).to_string()),
        (Some(200), weak.to_string()),
        (Some(200), "x".repeat(300_000)),
    ] {
        let call = poll(&mut host, NOW);
        assert!(call.headers.contains(&(b":path".to_vec(), b"/internal/edge-feed?keys=e1".to_vec())));
        host.answer(&call, status, body.as_bytes());
        assert!(get(&mut host, "/orders", &[("cookie", &cookie)]).upstream.is_some(), "{status:?} {body}");
    }
    // A call that is never answered is given up, and its late answer is not taken for another's.
    let lost = poll(&mut host, NOW);
    let call = poll(&mut host, NOW + 3);
    host.answer(&lost, Some(500), b"");
    host.answer(
        &call,
        Some(200),
        json!({"keys": {"etag": "e2", "set": mint::jwks(&[&next])}}).to_string().as_bytes(),
    );
    assert_eq!(refused(&get(&mut host, "/orders", &[("cookie", &cookie)])), (401, "kid_unknown"));
    let failures = host.log().iter().filter(|line| line.contains("failed")).count();
    assert_eq!(failures, 1, "a lasting failure is logged once: {:?}", host.log());
}

/// What hosts answer with: the ABI's statuses, and what it has no name for.
const STATUSES: [u32; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99, u32::MAX];

#[test]
fn whatever_a_host_answers_nothing_forged_or_unjudged_passes() {
    let key = Key::generate("a");
    let ours = format!("a=1; access_token={}; refresh_token=r", key.good(NOW));
    let inline = configuration(&json!({"keys": {"inline": mint::jwks(&[&key])}, "feed": {"cluster": "c"}}));
    for call in CALLS {
        for status in STATUSES {
            let mut host = Host::start(ENVOY, &inline).unwrap();
            host.fail(call, status);
            host.tick();
            for call in host.take_calls() {
                host.answer(&call, Some(200), b"{}");
            }
            for (path, cookie) in
                [("/orders", ours.as_str()), ("/orders", ""), ("/public/", ours.as_str()), ("/a//b", "")]
            {
                let forged = [("cookie", cookie), ("x-user-id", "1"), ("x_user_role", "admin")];
                let exchange = get(&mut host, path, &forged);
                let Some(passed) = exchange.upstream else { continue };
                assert!(
                    path == "/public/" || path == "/orders" && !cookie.is_empty(),
                    "{call} {status} {path}"
                );
                for (name, value) in passed {
                    let (name, value) = (String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap());
                    assert!(!value.contains("_token"), "{call} {status}: {name}: {value}");
                    assert!(
                        name != "x_user_role" && (name != "x-user-id" || value == "42"),
                        "{call} {status}: {name}: {value}"
                    );
                }
            }
            let trailers = host.trailers(headers(&[("x-user-id", "1")])).unwrap_or_default();
            assert!(trailers.is_empty(), "{call} {status}");
        }
    }
}

#[test]
fn a_host_that_fails_at_the_start_is_given_no_filter_or_one_that_refuses() {
    for call in CALLS {
        for status in STATUSES {
            let traits = Traits { fault: Some((call, status)), ..ENVOY };
            let Ok(mut host) = Host::start(traits, &configuration(&json!({"feed": {"cluster": "c"}}))) else {
                continue;
            };
            host.tick();
            assert!(
                get(&mut host, "/orders", &[("cookie", "access_token=x")]).upstream.is_none(),
                "{call} {status}"
            );
        }
    }
}

#[test]
fn answers_that_come_twice_late_or_from_nowhere_change_nothing() {
    let (key, other) = (Key::generate("a"), Key::generate("b"));
    let cookie = format!("access_token={}", key.good(NOW));
    let feed = |etag: &str, key: &Key| json!({"keys": {"etag": etag, "set": mint::jwks(&[key])}}).to_string();
    let mut host = with_feed();
    host.tick();
    let call = host.take_calls().pop().unwrap();
    host.answer(&call, Some(200), feed("e1", &key).as_bytes());
    host.answer(&call, Some(200), feed("e2", &other).as_bytes());
    host.answer(&Call { token: 4711, ..call.clone() }, Some(200), feed("e3", &other).as_bytes());
    host.tick();
    let late = host.take_calls().pop().unwrap();
    host.set_now(NOW + 60);
    host.tick();
    host.answer(&late, Some(200), feed("e4", &other).as_bytes());
    assert!(get(&mut host, "/orders", &[("cookie", &cookie)]).upstream.is_some());
}

#[test]
fn a_change_of_configuration_and_a_new_worker_refuse_nobody_meanwhile() {
    let (key, next) = (Key::generate("a"), Key::generate("b"));
    let cookie = |key: &Key| format!("access_token={}", key.good(NOW));
    let feed = |etag: &str, key: &Key| json!({"keys": {"etag": etag, "set": mint::jwks(&[key])}}).to_string();
    let passes =
        |host: &mut Host, key: &Key| get(host, "/orders", &[("cookie", &cookie(key))]).upstream.is_some();
    let by_feed = |cluster: &str, more: Value| {
        let mut feed = json!({"cluster": cluster});
        feed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        configuration(&json!({"feed": feed}))
    };
    let mut first = Host::start(ENVOY, &by_feed("companion", json!({}))).unwrap();
    first.tick();
    let call = first.take_calls().pop().unwrap();
    first.answer(&call, Some(200), feed("e1", &key).as_bytes());

    let mut reloaded = first.start_beside(&by_feed("companion", json!({"poll_ms": 500}))).unwrap();
    assert!(passes(&mut reloaded, &key), "what the plugin before was told is still known");
    reloaded.tick();
    let call = reloaded.take_calls().pop().unwrap();
    assert!(call.headers.contains(&(b":path".to_vec(), b"/internal/edge-feed?keys=e1".to_vec())));
    reloaded.answer(&call, Some(200), feed("e2", &next).as_bytes());
    assert!(passes(&mut reloaded.start_beside(&by_feed("companion", json!({}))).unwrap(), &next));

    let mut other = reloaded.start_beside(&by_feed("elsewhere", json!({}))).unwrap();
    assert!(!passes(&mut other, &next), "the keys of another feed are not taken");

    let denies = by_feed("companion", json!({"when_stale": "deny", "max_staleness_seconds": 10}));
    reloaded.set_now(NOW + 11);
    assert!(!passes(&mut reloaded.start_beside(&denies).unwrap(), &next), "what is inherited keeps its age");
}
