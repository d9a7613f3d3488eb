//! Sessions whose authentication lacks the second factor: what they may not do until it is proved.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, Response};

const ADA: &str = "ada@example.com";
const FACTOR: &str = "/api/auth/factors/1";
const CODES: &str = "/api/auth/factors/recovery-codes";

fn assert_demands_factor(response: &Response) {
    response.assert_rejected(401, "insufficient_user_authentication");
    let challenge = r#"Bearer error="insufficient_user_authentication", acr_values="mfa""#;
    assert_eq!(response.header("www-authenticate"), challenge);
}

async fn assert_changes_nothing(client: &mut Client) {
    assert_demands_factor(&client.delete(FACTOR).await);
    assert_demands_factor(&client.post(CODES).await);
    assert_demands_factor(&client.post("/api/auth/factors/totp").await);
    let page = client.submit("/auth/account", "/auth/account/factors/recovery-codes", &[]).await;
    let back = "/auth/confirm?return_to=%2Fauth%2Faccount%2Ffactors%2Frecovery-codes";
    assert_eq!((page.status, page.header("location")), (303, back), "{page}");
}

// holds: promise 14
#[tokio::test]
async fn session_of_a_password_alone_changes_no_factors() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    assert_changes_nothing(&mut ada).await;
    ada.confirm(&app.next_code(&api)).await;
    assert_eq!(ada.post(CODES).await.status, 201);
    assert_eq!(ada.delete(FACTOR).await.status, 200);
    assert_eq!(ada.post("/api/auth/factors/totp").await.status, 200, "nothing is demanded any more");
}

#[tokio::test]
async fn administrator_with_an_app_administers_after_the_code() {
    let api = Api::start().await;
    let mut root = api.admin("root@example.com").await;
    let app = api.add_app(&mut root).await;
    assert_demands_factor(&root.get("/api/admin/users").await);
    root.confirm(&app.next_code(&api)).await;
    assert_eq!(root.get("/api/admin/users").await.status, 200);
}

#[tokio::test]
async fn first_app_ends_the_other_sessions_of_its_user() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    let mut thief = api.logged_in(ADA).await;
    let app = api.add_app(&mut ada).await;
    thief.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    assert_eq!(ada.get("/api/auth/self").await.status, 200);

    let mut phone = api.client();
    let token = phone.begin_login(ADA).await;
    assert_eq!(phone.complete_login(&token, &app.next_code(&api)).await.status, 200);
    api.add_app(&mut phone).await;
    assert_eq!(ada.get("/api/auth/self").await.status, 200, "a second app ends nothing");
}
