//! Limits on guessing the codes of a second factor, and on requests for passkeys: their counts are not those of passwords, and
//! nobody keeps the owner out.

use edgeward_kit::api::{Api, App, PASSKEYS};
use edgeward_kit::client::{Client, PASSWORD};
use serde_json::json;
use time::Duration;

const ADA: &str = "ada@example.com";

/// Starts an API with a user who has an app, and returns a client that is known to the account.
async fn start(settings: &[(&str, &str)]) -> (Api, Client, App) {
    let api = Api::start_with(settings).await;
    let (ada, app) = api.registered_with_app(ADA).await;
    (api, ada, app)
}

#[tokio::test]
async fn hundred_wrong_codes_from_twenty_addresses_end_nothing_for_the_owner() {
    let (api, mut ada, app) = start(&[("LIMIT_ACCOUNT", "1000/1h")]).await;
    for at in 0..20 {
        let mut thief = api.client_from(&format!("203.0.{at}.7"));
        let token = thief.begin_login(ADA).await;
        for _ in 0..5 {
            thief.complete_login(&token, "000000").await.assert_rejected(401, "factor_wrong");
        }
    }
    let mut thief = api.client_from("198.51.100.7");
    let token = thief.begin_login(ADA).await;
    let code = app.next_code(&api);
    thief.complete_login(&token, &code).await.assert_rejected(429, "too_many_attempts");

    let mut phone = api.client_from("192.0.2.7");
    let token = phone.begin_login(ADA).await;
    let recovered = phone.complete_login(&token, &app.recovery_codes[0]).await;
    assert_eq!(recovered.status, 200, "a recovery code on an unknown device");
    assert_eq!(ada.get("/api/auth/self").await.status, 200, "the session goes on");
    assert_eq!(ada.refresh().await.status, 200);
    let token = ada.begin_login(ADA).await;
    assert_eq!(ada.complete_login(&token, &code).await.status, 200, "a known device");
    // A rejection by an account is repeated without SQL for two seconds.
    api.clock.advance(Duration::seconds(2));
    let token = thief.begin_login(ADA).await;
    let last = thief.complete_login(&token, "000000").await;
    last.assert_rejected(401, "factor_wrong");
}

#[tokio::test]
async fn right_password_does_not_clear_the_failures_of_the_factor() {
    let (api, _, app) = start(&[("LIMIT_ACCOUNT", "5/1h")]).await;
    let mut thief = api.client();
    for _ in 0..5 {
        let token = thief.begin_login(ADA).await;
        thief.complete_login(&token, "000000").await.assert_rejected(401, "factor_wrong");
    }
    let token = thief.begin_login(ADA).await;
    let code = app.next_code(&api);
    thief.complete_login(&token, &code).await.assert_rejected(429, "too_many_attempts");
    api.unlock(ADA).await;
    assert_eq!(api.client().login(ADA, "not the password").await.status, 401);
}

#[tokio::test]
async fn wrong_passwords_take_no_attempts_from_the_factor() {
    let (api, _, app) = start(&[("LIMIT_ACCOUNT", "5/1h")]).await;
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    for _ in 0..5 {
        api.client().login(ADA, "not the password").await.assert_rejected(401, "credentials_wrong");
    }
    assert_eq!(api.client().login(ADA, "not the password").await.status, 429);
    assert_eq!(client.complete_login(&token, &app.next_code(&api)).await.status, 200);
}

#[tokio::test]
async fn new_app_does_not_clear_the_guesses_at_the_others() {
    let (api, mut ada, app) = start(&[("LIMIT_ACCOUNT", "5/1h")]).await;
    ada.confirm(&app.next_code(&api)).await;
    let wrong = json!({"password": PASSWORD, "code": "000000"});
    for _ in 0..3 {
        ada.post_json("/api/auth/confirm", &wrong).await.assert_rejected(401, "factor_wrong");
    }
    // The charge of its first code is the fourth.
    api.add_app(&mut ada).await;
    ada.post_json("/api/auth/confirm", &wrong).await.assert_rejected(401, "factor_wrong");
    ada.post_json("/api/auth/confirm", &wrong).await.assert_rejected(429, "too_many_attempts");
}

#[tokio::test]
async fn app_that_no_key_opens_is_passed_over() {
    let (api, mut ada, app) = start(&[("LIMIT_ACCOUNT", "5/1h")]).await;
    ada.confirm(&app.next_code(&api)).await;
    let second = api.add_app(&mut ada).await;
    let lose = "update factors set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where id = $1";
    let lose = async |id: i64| sqlx::query(lose).bind(id).execute(&api.pool).await.expect("an app");
    lose(1).await;
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    for _ in 0..4 {
        client.complete_login(&token, "000000").await.assert_rejected(401, "factor_wrong");
    }
    assert_eq!(client.complete_login(&token, &second.next_code(&api)).await.status, 200);
    lose(2).await;
    let token = client.begin_login(ADA).await;
    assert_eq!(client.complete_login(&token, &second.next_code(&api)).await.status, 500);
}

#[tokio::test]
async fn wrong_recovery_codes_take_no_attempts_from_the_app() {
    let (api, _, app) = start(&[("LIMIT_ACCOUNT", "5/1h")]).await;
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    for _ in 0..6 {
        let wrong = client.complete_login(&token, "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA").await;
        wrong.assert_rejected(401, "factor_wrong");
    }
    assert_eq!(client.complete_login(&token, &app.next_code(&api)).await.status, 200);
}

// holds: promise 13
#[tokio::test]
async fn neighbour_takes_no_passkey_request_from_a_known_device() {
    let api =
        Api::start_with(&[&PASSKEYS[..], &[("LIMIT_ADDRESS", "1/1h"), ("LIMIT_ACCOUNT", "2/1h")]].concat())
            .await;
    let ask = "/api/auth/login/passkey/options";
    let mut ada = api.client_from("203.0.113.7");
    assert_eq!(ada.register(ADA).await.status, 201);
    let mut neighbour = api.client_from("203.0.113.7");
    for _ in 0..10 {
        assert_eq!(neighbour.post(ask).await.status, 200);
    }
    neighbour.post(ask).await.assert_rejected(429, "too_many_attempts");
    for _ in 0..20 {
        assert_eq!(ada.post(ask).await.status, 200, "a browser that has signed in before");
    }
    ada.post(ask).await.assert_rejected(429, "too_many_attempts");
}

#[tokio::test]
async fn pending_login_asks_for_a_passkey_from_a_bucket_of_its_own() {
    let api =
        Api::start_with(&[&PASSKEYS[..], &[("LIMIT_ADDRESS", "2/1h"), ("LIMIT_ACCOUNT", "3/1h")]].concat())
            .await;
    api.registered_with_passkey(ADA).await;
    let mut neighbour = api.client_from("203.0.113.7");
    for status in [vec![200; 20], vec![429]].concat() {
        assert_eq!(neighbour.post("/api/auth/login/passkey/options").await.status, status);
    }
    for _ in 0..2 {
        let mut client = api.client_from("203.0.113.7");
        let pending = json!({"token": client.begin_login(ADA).await});
        for status in [200, 200, 200, 429] {
            let asked = client.post_json("/api/auth/login/factor/passkey/options", &pending).await;
            assert_eq!(asked.status, status, "{asked}");
        }
    }
}
