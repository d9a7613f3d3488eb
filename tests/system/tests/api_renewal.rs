//! Calls for signed-in users without a usable access token: they succeed as long as the session lasts.

use edgeward_kit::api::Api;
use insta::assert_snapshot;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use time::Duration;

/// Every call for signed-in users, with its status on success. There is no session 999999.
const CALLS: [(Method, &str, u16); 5] = [
    (Method::GET, "/api/auth/self", 200),
    (Method::GET, "/api/auth/sessions", 200),
    (Method::DELETE, "/api/auth/sessions", 200),
    (Method::DELETE, "/api/auth/sessions/999999", 404),
    (Method::POST, "/api/auth/logout-all", 200),
];

#[tokio::test]
async fn every_signed_in_call_succeeds_without_an_access_token() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    for (method, path, status) in CALLS {
        let mut alone = api.logged_in("ada@example.com").await.clone_with(&["refresh_token"]);
        let response = alone.call(method, path, &[]).await;
        assert_eq!(response.status, status, "{path}");
        assert_eq!(response.set_cookies().len(), 2, "{path}");
        let is_over = path.ends_with("logout-all");
        assert_eq!(alone.cookies.is_empty(), is_over, "{path}");
        if !is_over {
            // The new access token by itself is good, and so is the new refresh token.
            let mut renewed = alone.clone_with(&["access_token"]);
            assert_eq!(renewed.get("/api/auth/self").await.status, 200, "{path}");
            assert_eq!(alone.refresh().await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn valid_access_token_sets_no_new_cookies() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    assert!(ada.get("/api/auth/self").await.set_cookies().is_empty());
}

#[tokio::test]
async fn expired_or_outdated_access_token_is_replaced() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    api.clock.advance(Duration::hours(1));
    assert_snapshot!(ada.get("/api/auth/self").await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000

    {
      "message": "User details fetched successfully",
      "user": {
        "createdAt": "2030-01-01T00:00:00.000Z",
        "email": "ada@example.com",
        "firstName": "Ada",
        "id": 1,
        "lastName": "Lovelace",
        "role": "customer",
        "updatedAt": "2030-01-01T00:00:00.000Z"
      }
    }
    "#);

    let mut bob = api.registered("bob@example.com").await;
    api.set_role("bob@example.com", "admin").await;
    assert_snapshot!(bob.get("/api/auth/self").await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000

    {
      "message": "User details fetched successfully",
      "user": {
        "createdAt": "2030-01-01T01:00:00.000Z",
        "email": "bob@example.com",
        "firstName": "Ada",
        "id": 2,
        "lastName": "Lovelace",
        "role": "admin",
        "updatedAt": "2030-01-01T01:00:00.000Z"
      }
    }
    "#);
    assert_eq!(bob.role(), "admin");
}

#[tokio::test]
async fn foreign_access_token_is_not_replaced_by_a_refresh() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let mut foreign = ada.clone();
    foreign.cookies.insert("access_token".to_owned(), ada.cookies["refresh_token"].clone());
    foreign.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn rejected_bearer_token_is_not_replaced_by_cookies() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let old = ada.cookies["access_token"].clone();
    api.clock.advance(Duration::hours(1));
    for (sent, status) in [
        (format!("Bearer {old}"), 401),
        ("Bearer rubbish".to_owned(), 401),
        ("Bearer undefined".to_owned(), 200),
    ] {
        let mut browser = ada.clone_with(&["refresh_token"]);
        let request = browser.request(Method::GET, "/api/auth/self").header(AUTHORIZATION, &sent);
        assert_eq!(browser.send(request).await.status, status, "{sent}");
    }
}

#[tokio::test]
async fn ended_session_is_rejected_everywhere_and_keeps_its_cookies() {
    let api = Api::start().await;
    for (method, path, _) in CALLS {
        let mut ada = api.client();
        ada.register(&format!("{}{}@example.com", method.as_str().to_lowercase(), path.len())).await;
        let mut kept = ada.clone();
        ada.logout().await;
        for cookies in [&["refresh_token"][..], &["access_token", "refresh_token"]] {
            let response = kept.clone_with(cookies).call(method.clone(), path, &[]).await;
            response.assert_rejected(401, "not_signed_in");
        }
        kept.cookies.clear();
        kept.call(method, path, &[]).await.assert_rejected(401, "not_signed_in");
    }
}

#[tokio::test]
async fn simultaneous_tabs_without_an_access_token_all_succeed() {
    const TABS: usize = 12;
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await.clone_with(&["refresh_token"]);
    let tabs: Vec<_> = (0..TABS)
        .map(|tab| {
            let path = ["/api/auth/self", "/api/auth/sessions"][tab % 2];
            let mut client = ada.clone();
            tokio::spawn(async move { (client.get(path).await.status, client) })
        })
        .collect();
    for tab in tabs {
        let (status, mut tab) = tab.await.expect("a response");
        assert_eq!(status, 200);
        // Whichever response came last, its cookies are good.
        assert_eq!(tab.get("/api/auth/self").await.status, 200);
        assert_eq!(tab.refresh().await.status, 200);
    }
}
