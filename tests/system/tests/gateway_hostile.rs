//! Hostile requests through the real Envoy: forged, repeated, misspelt, or sent by pages of other sites.

use std::time::Duration;

use edgeward_kit::journey::{VERSIONS, another_gateway, client, client_at, raw, received, registered, stack};
use edgeward_stack::ports::Ports;
use edgeward_stack::{http, wait};
use reqwest::Method;
use serde_json::{Value, json};

// holds: invariant 4, promise 2
#[tokio::test]
async fn ambiguous_requests_are_rejected() {
    let user = registered(false).await;
    let cookie = user.cookie();
    let get = |path: &str, more: &str| {
        raw(format!(
            "GET {path} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\ncookie: {cookie}\r\n{more}\r\n"
        ))
    };
    assert_eq!(get("/orders", ""), 200);
    for path in [
        "/public%2f..%2fadmin/",
        "/public/%2e%2e%5cadmin",
        "/public;x/admin/",
        "/public/..%3fx",
        "/public/..%EF%BC%9B/admin/",
        "/public/%EF%BC%852e%EF%BC%852e/admin/",
        "/a%00b",
        "/a%zz",
        "/a%252fb",
    ] {
        assert_eq!(get(path, ""), 400, "{path}");
    }
    // Servers that ignore letter case would apply another rule to these.
    for path in ["/ADMIN/", "/%41dmin/x"] {
        assert_eq!(get(path, ""), 400, "{path}");
    }
    // Envoy resolves these before the filter and the upstream see them: /admin/ is not for customers.
    for path in ["/public/../admin/", "//admin/", "/public/%2e%2e/admin/", "/%61dmin/"] {
        assert_eq!(get(path, ""), 403, "{path}");
    }
    // This one does so since 1.39; what an earlier one leaves as it is, the filter rejects.
    assert!([400, 403].contains(&get("/public/..;/admin/", "")));
    assert_eq!(get("/orders", "x_user_id: 1\r\n"), 400);
    assert_eq!(get("/orders", &format!("cookie: access_token=x{}\r\n", user.cookies["access_token"])), 401);
}

// holds: promise 4
#[tokio::test]
async fn our_cookies_reach_the_companion_alone() {
    let mut user = registered(false).await;
    for path in
        ["/api/auth", "/api/auth?x", "/api//auth", "/api/./auth/", "/.well-known", "/public/x", "/orders"]
    {
        for method in [Method::GET, Method::OPTIONS] {
            let preflight = [("origin", "https://shop.example"), ("access-control-request-method", "GET")];
            let more = if method == Method::OPTIONS { &preflight[..] } else { &[] };
            let text = user.call(method, path, more).await.text;
            assert!(!text.contains("_token"), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn preflight_is_no_bypass() {
    const PREFLIGHT: &str = "origin: https://evil.example\r\naccess-control-request-method: GET\r\n";
    let options = |more: &str, body: &str| {
        raw(format!("OPTIONS /admin/x HTTP/1.1\r\nhost: shop.example\r\n{PREFLIGHT}{more}\r\n{body}"))
    };
    assert_eq!(options("", ""), 200);
    assert_eq!(options("connection: upgrade\r\nupgrade: websocket\r\n", ""), 400);
    assert_eq!(options("content-length: 1\r\n", "x"), 401);
    assert_eq!(options("transfer-encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n"), 401);
}

// holds: promise 2
#[tokio::test]
async fn clients_cannot_send_headers_that_only_proxies_send() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        let forged = [
            ("x-envoy-original-path", "/admin/"),
            ("x-envoy-retry-on", "5xx"),
            ("x-envoy-foo", "1"),
            ("x-forwarded-for", "8.8.8.8"),
            ("x-forwarded-uri", "/admin/"),
            ("x-original-url", "/admin/"),
            ("x-rewrite-url", "/admin/"),
            ("x-http-method-override", "DELETE"),
            ("forwarded", "for=8.8.8.8"),
            ("x-request-id", "forged"),
        ];
        let seen = received(user.call(Method::GET, "/orders", &forged).await);
        for (name, value) in forged {
            let values = seen["headers"][name].as_array().cloned().unwrap_or_default();
            assert!(!values.contains(&json!(value)), "{name}: {values:?}");
        }
        assert_eq!(seen["headers"]["x-envoy-internal"], Value::Null);
    }
}

// holds: promise 5
#[tokio::test]
async fn page_of_another_site_cannot_act_for_the_user() {
    for http2 in VERSIONS {
        let mut user = registered(http2).await;
        let own = format!("http://127.0.0.1:{}", stack().ports().gateway);
        for (origin, site, expected) in [
            (own.as_str(), "same-origin", 200),
            ("http://localhost:5173", "cross-site", 200),
            ("https://evil.example", "cross-site", 403),
            (own.as_str(), "cross-site", 403),
            ("null", "cross-site", 403),
        ] {
            let headers = [("origin", origin), ("sec-fetch-site", site)];
            let status = user.call(Method::POST, "/orders", &headers).await.status;
            assert_eq!(status, expected, "{headers:?}");
            let status = user.call(Method::GET, "/orders", &headers).await.status;
            assert_eq!(status, 200, "{headers:?}");
        }
        let refresh =
            user.call(Method::POST, "/api/auth/refresh", &[("origin", "https://evil.example")]).await;
        assert_eq!(refresh.status, 403);
        assert_eq!(user.post("/orders").await.status, 200, "no browser, no origin");
    }
}

// holds: promise 5
#[tokio::test]
async fn web_socket_needs_a_signed_in_user_on_one_of_our_pages() {
    let mut user = registered(false).await;
    let upgrade = [("connection", "Upgrade, X-User-Id, x-user-role"), ("upgrade", "websocket")];
    let own = ("origin".to_owned(), format!("http://127.0.0.1:{}", stack().ports().gateway));
    let from_us = [&upgrade[..], &[(own.0.as_str(), own.1.as_str())]].concat();
    assert_eq!(user.call(Method::GET, "/socket", &from_us).await.status, 200);
    let elsewhere = [&upgrade[..], &[("origin", "https://evil.example")]].concat();
    assert_eq!(user.call(Method::GET, "/socket", &elsewhere).await.status, 403);
    user.cookies.clear();
    assert_eq!(user.call(Method::GET, "/socket", &from_us).await.status, 401);
}

#[tokio::test]
async fn cookies_of_every_shape_are_read_or_rejected() {
    let user = registered(false).await;
    let token = format!("access_token={}", user.cookies["access_token"]);
    let send = |lines: &[&[u8]]| {
        let head = b"GET /orders HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n";
        let lines =
            lines.iter().map(|line| [b"cookie: ", *line, b"\r\n"].concat()).collect::<Vec<_>>().concat();
        raw([&head[..], &lines, b"\r\n"].concat())
    };
    let many = "c=1; ".repeat(200);
    for (cookies, status) in [
        (vec![format!("{many}{token}")], 200),
        (vec![format!("a={}; {token}", "x".repeat(50_000))], 200),
        (vec![format!("a={}; {token}", "x".repeat(62_000))], 431),
        (vec!["a=1".to_owned(), token.clone(), "b=2".to_owned()], 200),
        (vec![token.clone(), token.clone()], 200),
        (vec![token.clone(), "access_token=other".to_owned()], 401),
        (vec![format!("access_token=; {token}")], 401),
        (vec![format!("access_token; =; ;; {token};")], 200),
        (vec![format!(" {token} ; a=\"; b\"")], 200),
        (vec![token.replace('=', "=\"") + "\""], 200),
        (vec![token.replace('=', "=\"")], 401),
        (vec![token.replace("access_token", "Access_Token")], 401),
        (vec![token.replace('=', "%3D")], 401),
        (vec![format!("access_token={}", "x".repeat(4097))], 400),
    ] {
        let lines: Vec<&[u8]> = cookies.iter().map(String::as_bytes).collect();
        assert_eq!(send(&lines), status, "{:.80}", cookies[0]);
    }
    assert_eq!(send(&[&[b"caf\xe9=\xff; ", token.as_bytes()].concat()]), 200);

    // HTTP/2 may send a cookie header for each cookie (RFC 9113 §8.2.3).
    let crumbs = [("cookie", "a=1"), ("cookie", &token), ("cookie", "b=2")];
    let response = client(true).call(Method::GET, "/orders", &crumbs).await;
    assert_eq!(received(response)["headers"]["cookie"], json!(["a=1; b=2"]));
}

#[tokio::test]
async fn unusual_requests_are_checked_too() {
    let user = registered(false).await;
    let send = |line: &str, more: &str| {
        raw(format!("{line} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n{more}\r\n"))
    };
    let cookie = format!("cookie: {}\r\n", user.cookie());
    for (line, status) in [
        ("GET http://shop.example/orders", 200),
        ("GET http://shop.example/public/../admin/", 403),
        ("GET *", 400),
        ("OPTIONS *", 400),
        ("CONNECT shop.example:80", 404),
        ("get /orders", 400),
        ("TRACE /orders", 400),
        ("PROPFIND /orders", 200),
    ] {
        let got = send(line, &cookie);
        assert!(got == status || status != 200 && (400..500).contains(&got), "{line}: {got}");
    }
    for line in ["PROPFIND /orders", "TRACE /orders", "DELETE /orders", "GET http://shop.example/orders"] {
        assert!([400, 401].contains(&send(line, "")), "{line}");
    }
    // A gRPC client reads grpc-status: 16 is "unauthenticated".
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    let rejected = client(true).call(Method::POST, "/shop.Orders/List", &grpc).await;
    assert_eq!(rejected.status, 200);
    assert_eq!(rejected.header("grpc-status"), "16");
}

/// Routes that match on what the filter sets.
const BY_ROLE: (&str, &str) = (
    "                      routes:\n",
    "                      routes:
                        - match: { prefix: /, headers: [{ name: x-user-role, string_match: { exact: admin } }] }
                          direct_response: { status: 418 }
                        - match: { prefix: /, headers: [{ name: x-user-role, string_match: { exact: customer } }] }
                          direct_response: { status: 202 }
",
);

#[tokio::test]
async fn route_is_chosen_by_the_role_that_the_filter_sets() {
    let (_envoy, Ports { gateway, .. }) = another_gateway("routes", &[BY_ROLE]).unwrap();
    let mut user = client_at(gateway, false);
    user.cookies = registered(false).await.cookies;
    let ready = || Ok(http::is_status_everywhere(gateway, "/readyz", 200).then_some(()));
    wait::until("the first keys", Duration::from_secs(20), ready).unwrap();
    let forged = [("x-user-role", "admin")];
    for headers in [&[][..], &forged] {
        assert_eq!(user.call(Method::GET, "/orders", headers).await.status, 202);
        let mut nobody = client_at(gateway, false);
        assert_eq!(nobody.call(Method::GET, "/public/x", headers).await.status, 200);
    }
}
