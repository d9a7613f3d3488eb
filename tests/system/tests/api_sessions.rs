//! List of a user's sessions, and the ends of sessions by their user.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD};
use insta::{allow_duplicates, assert_snapshot};
use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::{Value, json};
use time::Duration;

/// Logs in from an address, with a device.
async fn login(api: &Api, device: &str, address: &str) -> Client {
    let mut client = api.client();
    let request = client
        .request(Method::POST, "/api/auth/login")
        .header(USER_AGENT, device)
        .header("x-forwarded-for", address)
        .json(&json!({"email": "ada@example.com", "password": PASSWORD}));
    assert_eq!(client.send(request).await.status, 200);
    client
}

async fn list(client: &mut Client) -> Vec<Value> {
    let response = client.get("/api/auth/sessions").await;
    assert_eq!(response.status, 200, "{response}");
    response.body["sessions"].as_array().expect("a list").clone()
}

fn devices(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["device"].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn sessions_are_listed_with_device_address_and_time_of_use() {
    let api = Api::start().await;
    api.registered("bob@example.com").await;
    let mut ada = api.registered("ada@example.com").await;
    api.clock.advance(Duration::minutes(1));
    let mut phone = login(&api, " Phone\t 1 ", "198.51.100.1, 2001:db8:7:8::9").await;
    api.clock.advance(Duration::minutes(1));
    login(&api, &"x".repeat(300), "rubbish").await;
    api.clock.advance(Duration::minutes(1));
    phone.refresh().await;

    // The address of the peer, that of the client from the gateway's header field, and none if the field is not valid.
    assert_snapshot!(ada.get("/api/auth/sessions").await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "message": "Sessions fetched successfully",
      "sessions": [
        {
          "addressPrefix": "127.0.0.0/24",
          "createdAt": "2030-01-01T00:00:00.000Z",
          "current": true,
          "device": null,
          "deviceName": null,
          "id": 2,
          "lastUsedAt": "2030-01-01T00:00:00.000Z"
        },
        {
          "addressPrefix": "2001:db8:7::/48",
          "createdAt": "2030-01-01T00:01:00.000Z",
          "current": false,
          "device": "Phone 1",
          "deviceName": null,
          "id": 3,
          "lastUsedAt": "2030-01-01T00:03:00.000Z"
        },
        {
          "addressPrefix": null,
          "createdAt": "2030-01-01T00:02:00.000Z",
          "current": false,
          "device": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
          "deviceName": null,
          "id": 4,
          "lastUsedAt": "2030-01-01T00:02:00.000Z"
        }
      ]
    }
    "#);
    assert_eq!(
        devices(&list(&mut phone).await),
        ["Phone 1", &"x".repeat(256), "-"],
        "the current session comes first"
    );
}

#[tokio::test]
async fn device_has_a_name_for_people() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    // The browser's name is at the end of it.
    let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                Safari/537.36 Edg/142.0.0.0";
    let mut ada = login(&api, edge, "203.0.113.9").await;
    let sessions = list(&mut ada).await;
    assert_eq!(sessions[0]["device"], edge);
    assert_eq!(sessions[0]["deviceName"], "Edge on Windows");
}

#[tokio::test]
async fn client_address_is_the_one_seen_by_the_outermost_trusted_proxy() {
    const FORGED: &str = "192.0.2.66";
    let through_two = format!("{FORGED}, [2001:db8:7::9]:41000, 10.0.0.2");
    for (hops, forwarded_for, expected) in [
        ("0", "203.0.113.9", "127.0.0.0/24"),
        ("1", "192.0.2.66, 203.0.113.9:41000", "203.0.113.0/24"),
        ("2", &*through_two, "2001:db8:7::/48"),
        ("3", "203.0.113.9, 10.0.0.2", "203.0.113.0/24"),
    ] {
        let api = Api::start_with(&[("TRUSTED_HOPS", hops)]).await;
        api.registered("ada@example.com").await;
        let mut ada = login(&api, "Phone", forwarded_for).await;
        assert_eq!(list(&mut ada).await[0]["addressPrefix"], expected, "{hops} {forwarded_for}");
    }
}

#[tokio::test]
async fn session_is_ended_by_its_own_user_alone_and_revoked_at_the_edge() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut bob = api.registered("bob@example.com").await;
    let mut phone = login(&api, "Phone", "198.51.100.1").await;
    let id = list(&mut ada).await[1]["id"].clone();
    let path = format!("/api/auth/sessions/{id}");
    for path in
        [&path, "/api/auth/sessions/999", "/api/auth/sessions/x", "/api/auth/sessions/99999999999999999999"]
    {
        bob.delete(path).await.assert_rejected(404, "not_found");
    }
    assert_snapshot!(ada.delete(&path).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {"message": "Session ended successfully"}
    "#);
    ada.delete(&path).await.assert_rejected(404, "not_found");
    phone.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    phone.refresh().await.assert_rejected(401, "not_signed_in");
    assert_eq!(json!(api.revoked_sessions().await), json!([id]));
    assert_eq!(api.count_revocations().await, 1);
    assert_eq!(list(&mut ada).await.len(), 1);
    assert_eq!(list(&mut bob).await.len(), 1);
}

#[tokio::test]
async fn ending_the_current_session_clears_both_cookies() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    for cookies in [&["access_token", "refresh_token"][..], &["access_token"], &["refresh_token"]] {
        let mut ada = login(&api, "Phone", "::1").await;
        let path = format!("/api/auth/sessions/{}", list(&mut ada).await[0]["id"]);
        let mut browser = ada.clone_with(cookies);
        let response = browser.delete(&path).await;
        allow_duplicates! { assert_snapshot!(response, @r#"
        200 OK
        cache-control: no-store
        content-type: application/json
        set-cookie: access_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0
        set-cookie: refresh_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0

        {"message": "Session ended successfully"}
        "#) };
        assert!(browser.cookies.is_empty(), "{cookies:?}");
        ada.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
        ada.refresh().await.assert_rejected(401, "not_signed_in");
    }
}

#[tokio::test]
async fn ending_another_session_clears_no_cookies() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    for (cookies, renewed) in [(&["access_token", "refresh_token"][..], 0), (&["refresh_token"], 2)] {
        login(&api, "Phone", "::1").await;
        let path = format!("/api/auth/sessions/{}", list(&mut ada).await[1]["id"]);
        let mut browser = ada.clone_with(cookies);
        let response = browser.delete(&path).await;
        assert_eq!(response.status, 200, "{cookies:?}");
        assert_eq!(response.set_cookies().len(), renewed, "{cookies:?}");
        assert_eq!(browser.get("/api/auth/self").await.status, 200, "{cookies:?}");
    }
}

#[tokio::test]
async fn ending_all_other_sessions_keeps_the_current_one() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut bob = api.registered("bob@example.com").await;
    let mut others = [login(&api, "Phone", "::1").await, login(&api, "Laptop", "::1").await];
    for _ in 0..2 {
        let response = ada.delete("/api/auth/sessions").await;
        allow_duplicates! { assert_snapshot!(response, @r#"
        200 OK
        cache-control: no-store
        content-type: application/json

        {"message": "Other sessions ended successfully"}
        "#) };
    }
    for other in &mut others {
        other.refresh().await.assert_rejected(401, "not_signed_in");
    }
    assert_eq!(api.count_revocations().await, 2);
    assert_eq!(list(&mut ada).await.len(), 1);
    assert_eq!(list(&mut bob).await.len(), 1);
    assert_eq!(ada.refresh().await.status, 200);
}

#[tokio::test]
async fn signed_out_client_neither_lists_nor_ends_sessions() {
    let api = Api::start().await;
    let mut nobody = api.client();
    let mut gone = api.registered("ada@example.com").await;
    let mut ada = login(&api, "Phone", "::1").await;
    gone.clone().logout().await;
    for client in [&mut nobody, &mut gone] {
        client.get("/api/auth/sessions").await.assert_rejected(401, "not_signed_in");
        client.delete("/api/auth/sessions").await.assert_rejected(401, "not_signed_in");
        client.delete("/api/auth/sessions/2").await.assert_rejected(401, "not_signed_in");
    }
    assert_eq!(list(&mut ada).await.len(), 1);
}

#[tokio::test]
async fn expired_session_is_not_listed() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    api.clock.advance(Duration::days(30));
    let mut ada = login(&api, "Phone", "::1").await;
    assert_eq!(devices(&list(&mut ada).await), ["Phone"]);
}

#[tokio::test]
async fn session_ends_though_the_client_disconnects() {
    for (method, path) in [
        (Method::POST, "/api/auth/logout"),
        (Method::POST, "/api/auth/logout-all"),
        (Method::DELETE, "/api/auth/sessions/1"),
    ] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        // The end of the session cannot be recorded yet.
        let mut other = api.pool.begin().await.expect("a transaction");
        sqlx::query("lock table audit_log").execute(&mut *other).await.expect("a lock");
        let request = ada.request(method, path);
        let call = tokio::spawn(async move { ada.send(request).await });
        api.wait_for_lock().await;
        call.abort();
        assert!(call.await.expect_err("no response").is_cancelled());
        assert_eq!(api.count_sessions().await, 1, "{path}");
        other.rollback().await.expect("the end of the lock");
        api.wait_for_sessions(0).await;
    }
}
