//! Life of a session: its start, its refreshes and its end.

use edgeward_kit::api::Api;
use insta::{allow_duplicates, assert_snapshot};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use time::Duration;

#[tokio::test]
async fn without_a_token_no_user_is_signed_in() {
    let api = Api::start().await;
    let mut client = api.client();
    for response in [client.get("/api/auth/self").await, client.refresh().await] {
        allow_duplicates! { assert_snapshot!(response, @r#"
        401 Unauthorized
        cache-control: no-store
        content-type: application/json
        www-authenticate: Bearer

        {
          "errors": [{"code": "not_signed_in", "location": "", "msg": "Not signed in", "path": "", "type": "request"}],
          "message": "Not signed in"
        }
        "#) };
    }
}

#[tokio::test]
async fn self_takes_a_bearer_token_before_the_cookie() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let mut bob = api.registered("bob@example.com").await;
    let token = &ada.cookies["access_token"];
    for (client, scheme) in
        [(&mut api.client(), "Bearer"), (&mut api.client(), "bearer"), (&mut bob, "Bearer")]
    {
        let request =
            client.request(Method::GET, "/api/auth/self").header(AUTHORIZATION, format!("{scheme} {token}"));
        assert_eq!(client.send(request).await.body["user"]["email"], "ada@example.com");
    }
    let basic = bob.request(Method::GET, "/api/auth/self").header(AUTHORIZATION, "Basic YTpi");
    assert_eq!(bob.send(basic).await.body["user"]["email"], "bob@example.com");
    let wrong = bob.request(Method::GET, "/api/auth/self").header(AUTHORIZATION, "Bearer x");
    bob.send(wrong).await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn empty_bearer_token_of_a_front_end_falls_back_to_the_cookie() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    for (sent, status) in [
        ("Bearer", 200),
        ("Bearer ", 200),
        ("Bearer undefined", 200),
        ("bearer null", 200),
        ("Bearer None", 200),
        ("Bearer false", 200),
        ("Bearer [object Promise]", 200),
        ("Bearer Null", 401),
        ("Bearer nobody", 401),
    ] {
        let request = ada.request(Method::GET, "/api/auth/self").header(AUTHORIZATION, sent);
        assert_eq!(ada.send(request).await.status, status, "{sent}");
    }
}

// holds: invariant 6
#[tokio::test]
async fn an_access_token_expires_and_a_refresh_brings_a_new_one() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    api.clock.advance(Duration::seconds(3599));
    assert_eq!(ada.get("/api/auth/self").await.status, 200);
    api.clock.advance(Duration::seconds(1));
    ada.clone_with(&["access_token"]).get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    assert_snapshot!(ada.refresh().await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600
    set-cookie: refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000

    {"message": "Token refreshed successfully", "userId": 1}
    "#);
    assert_eq!(ada.get("/api/auth/self").await.status, 200);
}

#[tokio::test]
async fn idle_session_ends_after_its_time_and_not_before() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    for _ in 0..2 {
        api.clock.advance(Duration::days(29));
        assert_eq!(ada.refresh().await.status, 200);
    }
    api.clock.advance(Duration::days(30));
    ada.refresh().await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn session_ends_at_its_maximum_age_however_it_is_used() {
    let api = Api::start_with(&[("SESSION_MAX_SECONDS", "5184000")]).await;
    let mut ada = api.registered("ada@example.com").await;
    for _ in 0..2 {
        api.clock.advance(Duration::days(29));
        assert_eq!(ada.refresh().await.status, 200);
    }
    api.clock.advance(Duration::days(2));
    ada.refresh().await.assert_rejected(401, "not_signed_in");
    ada.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn a_role_change_shows_after_a_refresh() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    api.set_role("ada@example.com", "admin").await;
    assert_eq!(ada.role(), "customer");
    assert_eq!(ada.refresh().await.status, 200);
    assert_eq!(ada.role(), "admin");
}

#[tokio::test]
async fn lowered_maximum_age_applies_to_existing_sessions() {
    let api = Api::start_with(&[("SESSION_MAX_SECONDS", "7200")]).await;
    let mut old = api.registered("ada@example.com").await;
    // It began under another value of the setting.
    api.move_start_of_sessions(Duration::hours(2)).await;
    let mut ada = api.logged_in("ada@example.com").await;
    for path in ["/api/auth/self", "/api/auth/sessions"] {
        old.get(path).await.assert_rejected(401, "not_signed_in");
    }
    assert_eq!(old.refresh().await.status, 401);
    let listed = ada.get("/api/auth/sessions").await;
    assert_eq!(listed.body["sessions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn token_from_before_a_change_of_its_user_is_rejected() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    api.set_role("ada@example.com", "admin").await;
    let mut outdated = ada.clone_with(&["access_token"]);
    for path in ["/api/auth/self", "/api/auth/sessions"] {
        outdated.get(path).await.assert_rejected(401, "not_signed_in");
    }
    outdated.post("/api/auth/logout-all").await.assert_rejected(401, "not_signed_in");
    assert_eq!(ada.refresh().await.status, 200);
    assert_eq!(ada.role(), "admin");
    assert_eq!(ada.get("/api/auth/self").await.body["user"]["role"], "admin");
}

#[tokio::test]
async fn disabled_user_cannot_refresh_and_is_not_signed_in() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    api.mark_disabled().await;
    ada.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    ada.refresh().await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn logout_with_either_cookie_ends_the_session_and_is_repeatable() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    for kept in [vec!["access_token"], vec!["refresh_token"], vec!["access_token", "refresh_token"]] {
        let mut ada = api.logged_in("ada@example.com").await;
        let mut copy = ada.clone();
        let mut leaving = ada.clone_with(&kept);
        for _ in 0..2 {
            let response = leaving.logout().await;
            allow_duplicates! { assert_snapshot!(response, @r#"
            200 OK
            cache-control: no-store
            content-type: application/json
            set-cookie: access_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0
            set-cookie: refresh_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0

            {"message": "User logged out successfully"}
            "#) };
        }
        assert_eq!(ada.refresh().await.status, 401, "{kept:?}");
        copy.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    }
}

#[tokio::test]
async fn an_expired_access_token_still_ends_its_own_session() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    api.clock.advance(Duration::days(1));
    let mut leaving = ada.clone_with(&["access_token"]);
    assert_eq!(leaving.logout().await.status, 200);
    assert_eq!(ada.clone().refresh().await.status, 401);
}

#[tokio::test]
async fn a_logout_ends_one_session_and_leaves_the_others() {
    let api = Api::start().await;
    let mut phone = api.registered("ada@example.com").await;
    let mut laptop = api.logged_in("ada@example.com").await;
    assert_eq!(phone.logout().await.status, 200);
    assert_eq!(laptop.refresh().await.status, 200);
}

#[tokio::test]
async fn two_cookies_of_two_sessions_end_both() {
    let api = Api::start().await;
    let one = api.registered("ada@example.com").await;
    let mut other = api.logged_in("ada@example.com").await;
    let mut mixed = one.clone();
    mixed.cookies.insert("access_token".to_owned(), other.cookies["access_token"].clone());
    mixed.logout().await;
    assert_eq!(one.clone().refresh().await.status, 401);
    assert_eq!(other.refresh().await.status, 401);
}

#[tokio::test]
async fn a_logout_without_a_usable_cookie_succeeds_as_well() {
    let api = Api::start().await;
    let mut nobody = api.client();
    assert_eq!(nobody.logout().await.status, 200);
    nobody.cookies.insert("refresh_token".to_owned(), "rubbish".to_owned());
    assert_eq!(nobody.logout().await.status, 200);
    assert!(nobody.cookies.is_empty());
}

#[tokio::test]
async fn token_of_another_database_identifies_no_user() {
    let (before, now) = (Api::start().await, Api::start().await);
    let ada = before.registered("ada@example.com").await;
    now.clock.advance(Duration::seconds(1));
    let bob = now.registered("bob@example.com").await;
    let mut old = now.client();
    for kept in ["access_token", "refresh_token"] {
        old.cookies = ada.clone_with(&[kept]).cookies;
        old.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
        old.refresh().await.assert_rejected(401, "not_signed_in");
        assert_eq!(old.logout().await.status, 200);
    }
    assert_eq!(bob.clone().get("/api/auth/self").await.status, 200);
    assert_eq!(bob.clone().refresh().await.status, 200);
}
