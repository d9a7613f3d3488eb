//! Cross-origin requests of front ends: the origins that may call, and what their pages may send and read.

use edgeward_kit::api::Api;
use edgeward_kit::client::Response;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ORIGIN};

const REGISTER: &str = "/api/auth/register";
/// Origin of a front end.
const PAGE: &str = "https://app.example";
const LOGIN: &str = r#"{"email": "ada@example.com", "password": "correct horse battery"}"#;

#[tokio::test]
async fn only_the_origins_of_the_settings_may_call_with_credentials() {
    let api = Api::start_with(&[("CLIENT_UI_DOMAIN", "http://localhost:5173,https://app.example")]).await;
    for (origin, allowed) in [
        ("http://localhost:5173", true),
        ("https://app.example", true),
        ("https://evil.example", false),
        ("https://app.example.evil.example", false),
        ("http://app.example", false),
        ("null", false),
    ] {
        let mut client = api.client();
        let preflight = client
            .request(Method::OPTIONS, REGISTER)
            .header(ORIGIN, origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let plain = client.request(Method::GET, "/api/auth/self").header(ORIGIN, origin);
        for request in [preflight, plain] {
            let response = client.send(request).await;
            assert_eq!(response.header("access-control-allow-origin"), if allowed { origin } else { "" });
            assert_eq!(response.header("access-control-allow-credentials"), "true");
        }
    }
}

/// Sends a preflight from an allowed page.
async fn preflight(api: &Api) -> Response {
    let headers = [("origin", PAGE), ("access-control-request-method", "POST")];
    api.client().call(Method::OPTIONS, REGISTER, &headers).await
}

#[tokio::test]
async fn preflight_allows_the_headers_of_common_front_end_libraries() {
    let api = Api::start_with(&[("CLIENT_UI_DOMAIN", PAGE)]).await;
    let response = preflight(&api).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("access-control-allow-methods"), "GET,POST,PATCH,DELETE");
    assert_eq!(response.header("access-control-max-age"), "3600");
    let allowed: Vec<_> = response.header("access-control-allow-headers").split(',').collect();
    for name in [
        "content-type",
        "authorization",
        "x-request-id",
        "accept-language",
        "x-requested-with",
        "x-xsrf-token",
        "traceparent",
        "tracestate",
        "baggage",
        "sentry-trace",
        "x-datadog-trace-id",
        "newrelic",
    ] {
        assert!(allowed.contains(&name), "{name} in {allowed:?}");
    }
    for name in ["x-forwarded-for", "x-user-id", "cookie", "*"] {
        assert!(!allowed.contains(&name), "{name} in {allowed:?}");
    }
}

#[tokio::test]
async fn headers_that_a_page_may_send_are_a_setting() {
    let settings = [("CLIENT_UI_DOMAIN", PAGE), ("CORS_ALLOW_HEADERS", "Content-Type, X-Own")];
    let api = Api::start_with(&settings).await;
    assert_eq!(preflight(&api).await.header("access-control-allow-headers"), "content-type,x-own");
}

#[tokio::test]
async fn page_of_an_allowed_origin_can_read_every_rejection() {
    let api = Api::start_with(&[("CLIENT_UI_DOMAIN", PAGE)]).await;
    let large = "a".repeat(64 * 1024 + 1);
    let cases = [
        (Method::GET, "/nowhere", "", "", 404),
        (Method::GET, REGISTER, "", "", 405),
        (Method::POST, REGISTER, "application/json", large.as_str(), 413),
        (Method::POST, REGISTER, "text/plain", "{}", 415),
        (Method::POST, REGISTER, "application/json", "{", 400),
        (Method::GET, "/api/auth/self", "", "", 401),
        (Method::POST, "/api/auth/refresh", "", "", 401),
    ];
    let check = async |(method, path, kind, body, status): (Method, &str, &str, &str, u16)| {
        let mut client = api.client();
        let request = client.request(method, path).header(ORIGIN, PAGE).header(CONTENT_TYPE, kind);
        let response = client.send(request.body(body.to_owned())).await;
        assert_eq!(response.status, status, "{path}");
        assert_eq!(response.header("access-control-allow-origin"), PAGE, "{path} {status}");
        assert_eq!(response.header("access-control-allow-credentials"), "true", "{path} {status}");
        let exposed = response.header("access-control-expose-headers");
        assert_eq!(
            exposed, "ratelimit,ratelimit-policy,x-request-id,retry-after,www-authenticate",
            "{path} {status}"
        );
    };
    for case in cases {
        check(case).await;
    }
    api.state.db.close().await;
    check((Method::POST, "/api/auth/login", "application/json", LOGIN, 503)).await;
}
