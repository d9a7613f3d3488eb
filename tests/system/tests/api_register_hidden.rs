//! Registration that does not tell if an e-mail address was known.

use edgeward_kit::api::Api;
use edgeward_kit::client::{PASSWORD, registration};
use insta::assert_snapshot;
use serde_json::json;

async fn start() -> Api {
    Api::start_with(&[("REGISTRATION_HIDES_EMAILS", "on")]).await
}

#[tokio::test]
async fn known_and_unknown_address_register_alike() {
    let api = start().await;
    let mut user = api.client();
    let unknown = user.register("ada@example.com").await;
    assert_snapshot!(unknown, @r#"
    202 Accepted
    cache-control: no-store
    content-type: application/json

    {"message": "This e-mail is registered now, or was before: please sign in"}
    "#);
    assert!(user.cookies.is_empty(), "{:?}", user.cookies);
    let mut body = registration(" ADA@example.com");
    body["password"] = json!("another battery staple");
    let known = api.client().post_json("/api/auth/register", &body).await;
    assert_eq!(known.to_string(), unknown.to_string());
    assert!(known.headers.keys().eq(unknown.headers.keys()), "{:?}", known.headers);

    assert_eq!(api.count_users().await, 1);
    api.client()
        .login("ada@example.com", "another battery staple")
        .await
        .assert_rejected(401, "credentials_wrong");
    assert_eq!(user.login("ada@example.com", PASSWORD).await.status, 200);
    assert_eq!(user.get("/api/auth/self").await.body["user"]["role"], "customer");
}

#[tokio::test]
async fn weak_password_is_rejected_for_both_addresses() {
    let api = start().await;
    api.client().register("ada@example.com").await;
    for email in ["ada@example.com", "bob@example.com"] {
        let mut body = registration(email);
        body["password"] = json!("password1");
        let response = api.client().post_json("/api/auth/register", &body).await;
        assert_eq!(response.invalid_fields(), ["password: password_too_common"], "{email}");
    }
}

#[tokio::test]
async fn registration_without_a_session_is_an_audit_event() {
    let api = start().await;
    for _ in 0..2 {
        assert_eq!(api.client().register("ada@example.com").await.status, 202);
    }
    let events = "select event || ' ' || user_id || ' ' || coalesce(session_id, 0) from audit_log";
    let events: Vec<String> = sqlx::query_scalar(events).fetch_all(&api.pool).await.expect("events");
    assert_eq!(events, ["register 1 0"]);
    assert_eq!(api.count_sessions().await, 0);
}
