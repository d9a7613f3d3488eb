//! Browsers and health checks at the real gateway: forms of our own pages, pages of other origins that read
//! replies, quoted cookies, readiness.

use edgeward_tests::journey::{User, another_gateway, at, client, received};
use edgeward_tests::stack::ports::Ports;
use reqwest::{Method, Response};

const APP: &str = "http://localhost:5173";

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_form_of_our_own_page_passes_though_its_origin_is_withheld() {
    let mut user = User::register(&client(false)).await;
    for (lines, expected) in [
        (&[("origin", "null"), ("sec-fetch-site", "same-origin")][..], 200),
        (&[("origin", "https://shop.test"), ("sec-fetch-site", "same-origin")], 200),
        (&[("origin", "null"), ("sec-fetch-site", "same-site")], 403),
        (&[("origin", "null"), ("sec-fetch-site", "cross-site")], 403),
        (&[("origin", "null")], 403),
    ] {
        let response = user.send(Method::POST, "/orders", lines).await;
        assert_eq!(response.status().as_u16(), expected, "{lines:?}");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_is_told_that_nobody_is_signed_in() {
    let ask = |method: Method, origin: &'static str| {
        client(false).request(method, at("/orders")).header("origin", origin).send()
    };
    let refused = ask(Method::GET, APP).await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(header(&refused, "access-control-allow-origin"), APP);
    assert_eq!(header(&refused, "access-control-allow-credentials"), "true");
    assert_eq!(refused.headers().get_all("access-control-allow-origin").iter().count(), 1);
    let elsewhere = ask(Method::GET, "https://evil.example").await.unwrap();
    assert_eq!((elsewhere.status().as_u16(), header(&elsewhere, "access-control-allow-origin")), (401, ""));
    let preflight = client(false)
        .request(Method::OPTIONS, at("/orders"))
        .header("origin", APP)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "sentry-trace,baggage")
        .send()
        .await
        .unwrap();
    assert_eq!(header(&preflight, "access-control-allow-methods"), "PUT");
    assert_eq!(header(&preflight, "access-control-allow-headers"), "sentry-trace,baggage");
    assert_eq!(received(preflight).await["method"], "OPTIONS", "the upstream was asked");
}

#[tokio::test]
async fn what_the_upstream_says_itself_is_left_to_it() {
    let mut user = User::register(&client(false)).await;
    let response = user.send(Method::GET, "/orders", &[("origin", APP)]).await;
    assert_eq!((response.status().as_u16(), header(&response, "access-control-allow-origin")), (200, ""));
}

#[tokio::test]
async fn envoy_s_own_replies_are_readable_for_allowed_origins() {
    let limits = |most: u32| {
        format!(
            "streams stay open.\n      circuit_breakers:\n        thresholds: [{{ max_connections: {most}, max_pending_requests: {most}, max_requests: {most} }}]"
        )
    };
    let changes = [(limits(16_384), limits(0))];
    let changes: Vec<_> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let (_envoy, Ports { gateway, .. }) = another_gateway("overflow", &changes).unwrap();
    for (origin, expected) in [(APP, APP), ("https://evil.example", "")] {
        let url = format!("http://127.0.0.1:{gateway}/public/x");
        let response = client(false).get(url).header("origin", origin).send().await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(header(&response, "access-control-allow-origin"), expected);
    }
}

#[tokio::test]
async fn a_quoted_cookie_is_read_without_its_quotes() {
    let mut user = User::register(&client(false)).await;
    let quoted = format!("\"{}\"", user.cookies["access_token"]);
    user.cookies.insert("access_token".to_owned(), quoted);
    assert_eq!(user.status(Method::GET, "/orders").await, 200);
    assert_eq!(user.status(Method::GET, "/api/auth/self").await, 200, "the companion reads it alike");
}

#[tokio::test]
async fn the_gateway_is_ready_once_it_can_let_somebody_in() {
    let ready = client(false).get(at("/readyz")).send().await.unwrap();
    assert_eq!((ready.status().as_u16(), ready.text().await.unwrap().as_str()), (200, "ready\n"));
    let elsewhere =
        [("\"feed\": {\"cluster\": \"companion_internal\"", "\"feed\": {\"cluster\": \"nowhere\"")];
    let (_envoy, Ports { gateway, .. }) = another_gateway("unready", &elsewhere).unwrap();
    let unready = client(false).get(format!("http://127.0.0.1:{gateway}/readyz")).send().await.unwrap();
    assert_eq!((unready.status().as_u16(), header(&unready, "retry-after")), (503, "1"));
}
