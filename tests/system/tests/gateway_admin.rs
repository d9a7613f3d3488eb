//! Admin API through the real Envoy with two workers: who is let in, and how soon a change is effective at the edge.

use std::time::{Duration, Instant};

use edgeward_kit::client::{Client, Response};
use edgeward_kit::journey::{VERSIONS, client, received, registered, stack};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// Maximum time until a change is effective at the edge.
const EFFECTIVE_WITHIN: Duration = Duration::from_secs(2);

/// Returns the client of a new administrator.
async fn admin(http2: bool) -> Client {
    let mut admin = registered(http2).await;
    stack().companion.run(&["user", "set-role", &admin.email, "admin"]).unwrap();
    assert_eq!(admin.refresh().await.status, 200);
    admin
}

async fn id_of(user: &mut Client) -> i64 {
    user.get("/api/auth/self").await.body["user"]["id"].as_i64().unwrap()
}

/// Returns the response to a request with only the access token, over a new connection, which any worker may accept.
async fn with_token(token: &str) -> Response {
    let mut client = client(false);
    client.cookies.insert("access_token".to_owned(), token.to_owned());
    client.get("/orders").await
}

/// Waits until a token is rejected over 16 connections in a row, which reach every worker with near certainty. Fails if one
/// was accepted more than 2 s after `changed`.
async fn wait_for_rejection(token: &str, changed: Instant) {
    let mut rejected = 0;
    while rejected < 16 {
        let sent = Instant::now();
        if with_token(token).await.status == 401 {
            rejected += 1;
        } else {
            rejected = 0;
            assert!(sent - changed < EFFECTIVE_WITHIN, "accepted {:?} after the change", sent - changed);
        }
    }
}

#[tokio::test]
async fn gateway_lets_administrators_alone_through_to_the_companion() {
    for http2 in VERSIONS {
        assert_eq!(client(http2).get("/api/admin/users").await.status, 401);
        let mut user = registered(http2).await;
        let response = user.get("/api/admin/users").await;
        assert_eq!((response.status, &response.body["errors"][0]["code"]), (403, &json!("not_allowed")));
        let mut admin = admin(http2).await;
        let users = admin.get(&format!("/api/admin/users?search={}", user.email)).await;
        assert_eq!(users.status, 200, "{users}");
        assert_eq!(users.body["users"][0]["email"], user.email);
    }
}

// holds: promise 5
#[tokio::test]
async fn page_of_another_site_cannot_change_a_user() {
    let (mut admin, mut user) = (admin(false).await, registered(false).await);
    let path = format!("/api/admin/users/{}", id_of(&mut user).await);
    for (method, path) in [
        (Method::PATCH, path.clone()),
        (Method::POST, format!("{path}/sessions/end")),
        (Method::DELETE, path),
    ] {
        let request = admin.request(method, &path).header(CONTENT_TYPE, "application/json").body("");
        let response = admin.send(request.header("origin", "https://evil.example")).await;
        assert_eq!(response.status, 403, "{path}: {response}");
    }
    assert_eq!(user.refresh().await.status, 200);
}

#[tokio::test]
async fn preflight_of_an_allowed_page_permits_a_change() {
    let preflight = [
        ("origin", "http://127.0.0.1:5173"),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "content-type"),
    ];
    let response = client(false).call(Method::OPTIONS, "/api/admin/users/1", &preflight).await;
    assert_eq!(response.header("access-control-allow-origin"), "http://127.0.0.1:5173");
    assert!(response.header("access-control-allow-methods").contains("PATCH"), "{response}");
}

#[tokio::test]
async fn change_by_an_administrator_is_effective_at_the_edge_within_two_seconds() {
    let mut admin = admin(false).await;
    for (method, path, body) in [
        (Method::PATCH, "", json!({"disabled": true})),
        (Method::PATCH, "", json!({"role": "seller"})),
        (Method::DELETE, "", Value::Null),
        (Method::POST, "/sessions/end", json!({})),
        (Method::POST, "/sessions/end", json!("own")),
    ] {
        let mut user = registered(false).await;
        let token = user.cookies["access_token"].clone();
        assert_eq!(with_token(&token).await.status, 200);
        let id = id_of(&mut user).await;
        let body = match body {
            Value::Null => String::new(),
            Value::String(_) => {
                let own = user.get("/api/auth/sessions").await.body["sessions"][0]["id"].clone();
                json!({"ids": [own]}).to_string()
            }
            changes => changes.to_string(),
        };
        let request = admin.request(method, &format!("/api/admin/users/{id}{path}"));
        let response = admin.send(request.header(CONTENT_TYPE, "application/json").body(body)).await;
        let changed = Instant::now();
        assert_eq!(response.status, 200, "{response}");
        wait_for_rejection(&token, changed).await;
    }
}

#[tokio::test]
async fn new_role_by_an_administrator_reaches_the_upstream() {
    let (mut admin, mut user) = (admin(false).await, registered(false).await);
    let path = format!("/api/admin/users/{}", id_of(&mut user).await);
    assert_eq!(admin.patch_json(&path, &json!({"role": "seller"})).await.status, 200);
    let changed = Instant::now();
    loop {
        let sent = Instant::now();
        // The next request is held for a new token.
        let seen = received(user.get("/orders").await);
        if seen["headers"]["x-user-role"] == json!(["seller"]) {
            break;
        }
        assert!(sent - changed < EFFECTIVE_WITHIN, "the edge does not apply the role");
    }
}
