//! Rules that demand a recent authentication, at the real gateway: calls, navigations, and the way through the companion's
//! page and back.

use std::time::{Duration, Instant};

use edgeward_kit::client::{Client, PASSWORD};
use edgeward_kit::journey::{another_gateway, client_at, received, registered};
use edgeward_stack::envoy::Envoy;
use edgeward_stack::ports::Ports;
use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;

/// Starts a gateway at which an authentication of the second before is too old, and which tells upstreams of it.
fn demanding(name: &str) -> (Envoy, Ports) {
    let changes = [
        (r#""max_auth_age_seconds": 300"#, r#""max_auth_age_seconds": 1"#),
        (
            r#""ready_path": "/readyz","#,
            r#""ready_path": "/readyz", "headers": {"auth_time": "x-auth-time", "amr": "x-amr"},"#,
        ),
    ];
    another_gateway(name, &changes).unwrap()
}

/// Returns a client with the cookies of a user whose authentication is too old there.
async fn outdated(user: &Client, gateway: u16) -> Client {
    let mut client = client_at(gateway, false);
    client.cookies.clone_from(&user.cookies);
    let started = Instant::now();
    while client.get("/billing/").await.status != 401 {
        assert!(started.elapsed() < Duration::from_secs(20), "the authentication is still recent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client
}

#[tokio::test]
async fn old_authentication_is_challenged_and_a_confirmation_is_enough() {
    let (_envoy, Ports { gateway, envoy_admin, .. }) = demanding("step_up_call");
    let mut user = registered(false).await;
    assert_eq!(user.get("/billing/").await.status, 200, "five minutes are allowed here");
    let mut there = outdated(&user, gateway).await;
    assert_snapshot!(there.get("/billing/invoices").await, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    www-authenticate: Bearer error="insufficient_user_authentication", max_age="1"

    {
      "errors": [
        {
          "code": "insufficient_user_authentication",
          "location": "",
          "msg": "Please confirm who you are",
          "path": "",
          "type": "unauthorized"
        }
      ],
      "message": "Please confirm who you are"
    }
    "#);
    let stats = client_at(envoy_admin, false).get("/stats/prometheus").await.text;
    assert!(stats.contains(r#"refused{reason="authentication_outdated"}"#), "{stats}");
    let before = user.claims();
    assert_eq!(there.refresh().await.status, 200);
    assert_eq!(there.claims().auth_time, before.auth_time, "a refresh proves nothing");
    assert_eq!(there.get("/billing/").await.status, 401);
    assert_eq!(there.get("/orders").await.status, 200, "other paths demand nothing");

    let forged = [("x-auth-time", "1"), ("x-amr", "mfa")];
    let seen = received(user.call(Method::GET, "/public/", &forged).await);
    for (name, _) in forged {
        assert!(seen["headers"].get(name).is_none(), "a client's is removed where none is set: {seen}");
    }
    let seen = received(there.call(Method::GET, "/orders", &forged).await);
    assert_eq!(seen["headers"]["x-auth-time"], json!([before.auth_time.unwrap().to_string()]));
    assert_eq!(seen["headers"]["x-amr"], json!(["pwd"]));

    let confirmed = there.post_json("/api/auth/confirm", &json!({"password": PASSWORD})).await;
    assert_eq!(confirmed.status, 200, "{confirmed}");
    assert!(there.claims().auth_time > before.auth_time);
    user.cookies.clone_from(&there.cookies);
    assert_eq!(user.get("/billing/").await.status, 200);
}

#[tokio::test]
async fn navigation_goes_through_the_confirmation_and_back() {
    let (_envoy, Ports { gateway, .. }) = demanding("step_up_navigation");
    let user = registered(false).await;
    let mut there = outdated(&user, gateway).await;
    // The access token is gone, too: one refresh, and then the same way.
    there.cookies.remove("access_token");
    let navigation = [("sec-fetch-mode", "navigate")];
    let redirected = there.call(Method::GET, "/billing/a?b=c", &navigation).await;
    assert_eq!(redirected.status, 302);
    assert_eq!(redirected.header("location"), "/login?return_to=/billing/a%3Fb%3Dc&max_age=1");
    assert!(there.cookies.contains_key("access_token"), "the response sets the new one");
    let page = there.get(redirected.header("location")).await;
    assert_eq!(page.header("location"), "/auth/confirm?return_to=/billing/a%3Fb%3Dc&max_age=1");
    let page = page.header("location").to_owned();
    let confirmed = there.submit(&page, &page, &[("password", PASSWORD)]).await;
    assert_eq!((confirmed.status, confirmed.header("location")), (303, "/billing/a?b=c"));
    let mut user = user.clone();
    user.cookies.clone_from(&there.cookies);
    assert_eq!(received(user.get("/billing/a?b=c").await)["path"], "/billing/a?b=c");
}
