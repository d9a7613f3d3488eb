//! Browsers and health checks at the real gateway: forms of our own pages, replies to pages of other origins, quoted cookies,
//! readiness.

use edgeward_kit::journey::{another_gateway, client, client_at, received, registered};
use edgeward_stack::ports::Ports;
use insta::assert_snapshot;
use reqwest::Method;

const APP: &str = "http://localhost:5173";

#[tokio::test]
async fn form_of_our_own_page_passes_though_its_origin_is_null() {
    let mut user = registered(false).await;
    for (lines, expected) in [
        (&[("origin", "null"), ("sec-fetch-site", "same-origin")][..], 200),
        (&[("origin", "https://shop.test"), ("sec-fetch-site", "same-origin")], 200),
        (&[("origin", "null"), ("sec-fetch-site", "same-site")], 403),
        (&[("origin", "null"), ("sec-fetch-site", "cross-site")], 403),
        (&[("origin", "null")], 403),
    ] {
        let response = user.call(Method::POST, "/orders", lines).await;
        assert_eq!(response.status, expected, "{lines:?}");
    }
}

#[tokio::test]
async fn page_of_an_allowed_origin_can_read_that_it_is_not_signed_in() {
    let rejected = client(false).call(Method::GET, "/orders", &[("origin", APP)]).await;
    assert_snapshot!(rejected, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    www-authenticate: Cookie realm="edgeward", cookie-name="access_token"
    access-control-allow-credentials: true
    access-control-allow-origin: http://localhost:5173
    access-control-expose-headers: ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id

    {
      "errors": [
        {
          "code": "not_signed_in",
          "location": "",
          "msg": "Not signed in",
          "path": "",
          "type": "unauthorized"
        }
      ],
      "message": "Not signed in"
    }
    "#);
    assert_eq!(rejected.headers.get_all("access-control-allow-origin").iter().count(), 1);
    let elsewhere = client(false).call(Method::GET, "/orders", &[("origin", "https://evil.example")]).await;
    assert_snapshot!(elsewhere, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    www-authenticate: Cookie realm="edgeward", cookie-name="access_token"

    {
      "errors": [
        {
          "code": "not_signed_in",
          "location": "",
          "msg": "Not signed in",
          "path": "",
          "type": "unauthorized"
        }
      ],
      "message": "Not signed in"
    }
    "#);
    let preflight = [
        ("origin", APP),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "sentry-trace,baggage"),
    ];
    let preflight = client(false).call(Method::OPTIONS, "/orders", &preflight).await;
    assert_eq!(preflight.header("access-control-allow-methods"), "PUT");
    assert_eq!(preflight.header("access-control-allow-headers"), "sentry-trace,baggage");
    assert_eq!(received(preflight)["method"], "OPTIONS", "the upstream responds");
}

#[tokio::test]
async fn response_of_the_upstream_is_left_unchanged() {
    let mut user = registered(false).await;
    let response = user.call(Method::GET, "/orders", &[("origin", APP)]).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn envoy_s_own_replies_are_readable_for_allowed_origins() {
    let limits = |most: u32| {
        format!(
            "streams stay open. Retries as above.\n      circuit_breakers:\n        thresholds: [{{ max_connections: {most}, max_pending_requests: {most}, max_requests: {most}, "
        )
    };
    let changes = [(limits(16_384), limits(0))];
    let changes: Vec<_> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let (_envoy, Ports { gateway, .. }) = another_gateway("overflow", &changes).unwrap();
    for (origin, expected) in [(APP, APP), ("https://evil.example", "")] {
        let response = client_at(gateway, false).call(Method::GET, "/public/x", &[("origin", origin)]).await;
        assert_eq!(response.status, 503);
        assert_eq!(response.header("access-control-allow-origin"), expected);
    }
}

#[tokio::test]
async fn a_quoted_cookie_is_read_without_its_quotes() {
    let mut user = registered(false).await;
    let quoted = format!("\"{}\"", user.cookies["access_token"]);
    user.cookies.insert("access_token".to_owned(), quoted);
    assert_eq!(user.get("/orders").await.status, 200);
    assert_eq!(user.get("/api/auth/self").await.status, 200, "the companion reads it alike");
}

#[tokio::test]
async fn gateway_is_ready_once_a_request_can_pass() {
    assert_snapshot!(client(false).get("/readyz").await, @"
    200 OK
    cache-control: no-store
    content-type: text/plain

    ready
    ");
    let elsewhere =
        [("\"feed\": {\"cluster\": \"companion_internal\"", "\"feed\": {\"cluster\": \"nowhere\"")];
    let (_envoy, Ports { gateway, .. }) = another_gateway("unready", &elsewhere).unwrap();
    assert_snapshot!(client_at(gateway, false).get("/readyz").await, @"
    503 Service Unavailable
    cache-control: no-store
    content-type: text/plain
    retry-after: 1

    not ready
    ");
}
