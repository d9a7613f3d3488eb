//! Passkeys: how they are added, sign in, are the second step of a login, and confirm.

use edgeward_kit::api::{Api, PASSKEYS, Passkey, VERIFIED};
use edgeward_kit::client::{Client, PASSWORD};
use serde_json::json;
use time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const LIST: &str = "/api/auth/factors";

fn amr(client: &Client) -> String {
    client.claims().amr.expect("amr").join(" ")
}

#[tokio::test]
async fn passkey_signs_in_without_a_password() {
    let api = Api::start_with(&PASSKEYS).await;
    let (mut ada, mut passkey, codes) = api.registered_with_passkey(ADA).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(ada.get(LIST).await.body["factors"][0]["lastUsedAt"], json!(null));
    let mut client = api.client();
    let signed_in = client.login_with_passkey(&mut passkey).await;
    assert_eq!((signed_in.status, &signed_in.body["userId"]), (200, &json!(1)), "{signed_in}");
    assert_eq!(signed_in.set_cookies().len(), 3);
    assert_eq!(amr(&client), "pop mfa");
    let list = ada.get(LIST).await.body;
    assert_eq!(list["factors"][0]["kind"], "passkey");
    assert_eq!(list["factors"][0]["lastUsedAt"], "2030-01-01T00:00:00.000Z");
    api.disable(ADA).await;
    client.login_with_passkey(&mut passkey).await.assert_rejected(403, "account_disabled");
}

#[tokio::test]
async fn passkey_is_the_second_step_of_a_login() {
    let api = Api::start_with(&PASSKEYS).await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let (_, mut other, _) = api.registered_with_passkey(BOB).await;
    let mut client = api.client();
    let begun = client.login(ADA, PASSWORD).await;
    assert_eq!((begun.status, &begun.body["ways"]), (202, &json!(["passkey", "recovery_code"])));
    let token = &begun.body["token"];
    client.complete_login_with_passkey(token, &mut other).await.assert_rejected(401, "passkey_wrong");
    let completed = client.complete_login_with_passkey(token, &mut passkey).await;
    assert_eq!(completed.status, 200, "{completed}");
    assert_eq!(amr(&client), "pwd pop mfa");
    client.complete_login(token, &"0".repeat(24)).await.assert_rejected(401, "login_expired");
}

#[tokio::test]
async fn passkey_confirms_who_the_user_is() {
    let api = Api::start_with(&PASSKEYS).await;
    let (mut ada, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let (_, mut other, _) = api.registered_with_passkey(BOB).await;
    api.clock.advance(Duration::hours(25));
    ada.refresh().await;
    ada.delete("/api/auth/sessions").await.assert_rejected(401, "insufficient_user_authentication");
    ada.confirm_with_passkey(&mut other).await.assert_rejected(401, "passkey_wrong");
    let confirmed = ada.confirm_with_passkey(&mut passkey).await;
    assert_eq!((confirmed.status, confirmed.set_cookies().len()), (200, 1), "{confirmed}");
    assert_eq!(amr(&ada), "pop mfa");
    assert_eq!(ada.delete("/api/auth/sessions").await.status, 200);
}

// holds: promise 16
#[tokio::test]
async fn challenge_of_a_passkey_is_used_once() {
    let api = Api::start_with(&PASSKEYS).await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let mut client = api.client();
    let body = client.passkey_response("/api/auth/login", &json!({}), &mut passkey).await;
    assert_eq!(client.post_json("/api/auth/login/passkey", &body).await.status, 200);
    client.post_json("/api/auth/login/passkey", &body).await.assert_rejected(409, "challenge_expired");

    let good = client.passkey_response("/api/auth/login", &json!({}), &mut passkey).await;
    let mut wrong = good.clone();
    wrong["credential"]["response"]["signature"] = json!("AAAA");
    client.post_json("/api/auth/login/passkey", &wrong).await.assert_rejected(401, "passkey_wrong");
    client.post_json("/api/auth/login/passkey", &good).await.assert_rejected(409, "challenge_expired");

    let late = client.passkey_response("/api/auth/login", &json!({}), &mut passkey).await;
    api.clock.advance(Duration::minutes(10));
    client.post_json("/api/auth/login/passkey", &late).await.assert_rejected(409, "challenge_expired");
}

// holds: promise 16
#[tokio::test]
async fn challenge_is_for_one_purpose_and_one_session() {
    let api = Api::start_with(&PASSKEYS).await;
    let (mut ada, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let mut second = api.client();
    assert_eq!(second.login_with_passkey(&mut passkey).await.status, 200);
    let login = ada.passkey_response("/api/auth/login", &json!({}), &mut passkey).await;
    ada.post_json("/api/auth/confirm/passkey", &login).await.assert_rejected(409, "challenge_expired");
    let confirm = ada.passkey_response("/api/auth/confirm", &json!({}), &mut passkey).await;
    second.post_json("/api/auth/confirm/passkey", &confirm).await.assert_rejected(409, "challenge_expired");
    second.post_json("/api/auth/login/passkey", &confirm).await.assert_rejected(409, "challenge_expired");
    assert_eq!(ada.post_json("/api/auth/confirm/passkey", &confirm).await.status, 200);
}

// holds: promise 16
#[tokio::test]
async fn passkey_of_another_origin_or_user_or_unverified_is_refused() {
    let api = Api::start_with(&PASSKEYS).await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let mut client = api.client();
    passkey.origin = "https://evil.example.com";
    client.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_wrong");
    passkey.origin = "https://app.example.org";
    assert_eq!(client.login_with_passkey(&mut passkey).await.status, 200, "a related origin");
    passkey.is_cross_origin = true;
    client.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_wrong");
    passkey.is_cross_origin = false;
    passkey.flags = 1;
    client.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_wrong");
    passkey.flags = VERIFIED;
    let (_, other, _) = api.registered_with_passkey(BOB).await;
    passkey.user_handle = other.user_handle;
    client.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_wrong");
}

// holds: promise 16
#[tokio::test]
async fn copy_of_a_passkey_is_refused() {
    let api = Api::start_with(&PASSKEYS).await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let mut client = api.client();
    passkey.counter = 41;
    assert_eq!(client.login_with_passkey(&mut passkey).await.status, 200);
    passkey.counter = 7;
    client.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_wrong");
    let metrics = api.internal().get("/metrics").await.text;
    let counted = "edgeward_events_total{event=\"login_refused\",reason=\"passkey_copied\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    passkey.counter = 42;
    assert_eq!(client.login_with_passkey(&mut passkey).await.status, 200, "the owner's goes on");
}

#[tokio::test]
async fn one_of_two_uses_with_the_same_counter_counts() {
    let api = Api::start_with(&PASSKEYS).await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let (mut first, mut second) = (api.client(), api.client());
    let one = first.passkey_response("/api/auth/login", &json!({}), &mut passkey).await;
    passkey.counter -= 1;
    let other = second.passkey_response("/api/auth/login", &json!({}), &mut passkey).await;
    let path = "/api/auth/login/passkey";
    let both = tokio::join!(first.post_json(path, &one), second.post_json(path, &other));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn passkey_and_app_are_added_right_after_an_authentication() {
    let api = Api::start_with(&PASSKEYS).await;
    let mut ada = api.registered(ADA).await;
    api.clock.advance(Duration::minutes(10));
    assert_eq!(ada.add_passkey(true).await.1.status, 201);
    api.clock.advance(Duration::seconds(1));
    for path in ["passkeys", "totp"] {
        let begun = ada.post_json(&format!("{LIST}/{path}"), &json!({})).await;
        begun.assert_rejected(401, "insufficient_user_authentication");
    }
    let page = ada.get("/auth/account/factors/passkeys").await;
    assert_eq!((page.status, page.header("location").contains("/confirm")), (303, true), "{page}");
    assert_eq!(ada.post_json("/api/auth/confirm", &json!({"password": PASSWORD})).await.status, 200);
    assert_eq!(ada.add_passkey(false).await.1.status, 201);
}

// holds: promise 16
#[tokio::test]
async fn session_that_ends_before_the_body_has_come_adds_no_passkey() {
    let api = Api::start_with(&PASSKEYS).await;
    let mut ada = api.registered(ADA).await;
    let (_, body) = ada.created_passkey(false).await;
    let body = body.to_string();
    let head = format!(
        "POST {LIST}/passkeys/confirm HTTP/1.1\r\nhost: app.example.com\r\ncookie: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        ada.cookie(),
        body.len()
    );
    let mut stream = TcpStream::connect(api.public_address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // The service asks for the body once it has taken the user for signed in.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(asked, *b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(ada.logout().await.status, 200);
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200, "without a second step");
}

#[tokio::test]
async fn passkey_that_the_browser_created_leaves_the_password() {
    let api = Api::start_with(&PASSKEYS).await;
    let mut ada = api.registered(ADA).await;
    let (mut passkey, added) = ada.add_passkey(true).await;
    assert_eq!((added.status, &added.body["recoveryCodes"]), (201, &json!(null)), "{added}");
    let mut client = api.client();
    assert_eq!(client.login(ADA, PASSWORD).await.status, 200, "the password alone signs in");
    assert_eq!(client.login_with_passkey(&mut passkey).await.status, 200);
    assert_eq!(amr(&client), "pop mfa");
    let (mut demanded, added) = ada.add_passkey(false).await;
    assert_eq!(added.body["recoveryCodes"].as_array().map(Vec::len), Some(10), "{added}");
    assert_eq!(client.login(ADA, PASSWORD).await.status, 202);
    assert_eq!(ada.confirm_with_passkey(&mut demanded).await.status, 200);
    let (_, beside) = ada.add_passkey(true).await;
    assert_eq!(beside.invalid_fields(), ["credential: credential_wrong"], "beside one that is demanded");
    assert_eq!(
        api.client().login_with_passkey(&mut passkey).await.status,
        200,
        "of the session that demands one"
    );
}

#[tokio::test]
async fn first_demanded_factor_takes_away_what_browsers_of_other_sessions_created() {
    let api = Api::start_with(&PASSKEYS).await;
    let mut ada = api.registered(ADA).await;
    let mut thief = api.logged_in(ADA).await;
    let (mut passkey, _) = thief.add_passkey(true).await;
    thief.post("/api/auth/factors/recovery-codes").await.assert_rejected(404, "not_found");
    assert!(!thief.get("/auth/account").await.text.contains("Recovery codes"), "they would replace nothing");
    let app = api.add_app(&mut ada).await;
    assert_eq!(app.recovery_codes.len(), 10);
    api.client().login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_unknown");
}

#[tokio::test]
async fn recovery_codes_go_with_the_last_factor_that_is_demanded() {
    let api = Api::start_with(&PASSKEYS).await;
    let mut ada = api.registered(ADA).await;
    ada.add_passkey(true).await;
    let app = api.add_app(&mut ada).await;
    ada.confirm(&app.next_code(&api)).await;
    let list = ada.get(LIST).await;
    assert_eq!(ada.delete(&format!("{LIST}/{}", list.body["factors"][1]["id"])).await.status, 200);
    assert_eq!(ada.get(LIST).await.body["recoveryCodesLeft"], 0);
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200, "the password alone");
}

#[tokio::test]
async fn passkey_is_removed_by_its_user_and_by_an_administrator() {
    let api = Api::start_with(&PASSKEYS).await;
    let (mut ada, mut passkey, _) = api.registered_with_passkey(ADA).await;
    assert_eq!(ada.confirm_with_passkey(&mut passkey).await.status, 200);
    let (mut second, _) = ada.add_passkey(false).await;
    let list = ada.get(LIST).await;
    let first = format!("{LIST}/{}", list.body["factors"][0]["id"]);
    let mut client = api.client();
    assert_eq!(client.login_with_passkey(&mut passkey).await.status, 200);
    assert_eq!(ada.delete(&first).await.status, 200);
    client.get(LIST).await.assert_rejected(401, "not_signed_in");
    client.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_unknown");
    assert_eq!(client.login_with_passkey(&mut second).await.status, 200);
    let mut root = api.admin("root@example.com").await;
    let reset = root.delete("/api/admin/users/1/factors").await;
    assert_eq!(reset.body["factorsRemoved"], 1, "{reset}");
    client.login_with_passkey(&mut second).await.assert_rejected(401, "passkey_unknown");
    assert_eq!(client.login(ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn passkey_is_added_by_a_response_to_the_request() {
    let api = Api::start_with(&PASSKEYS).await;
    let mut ada = api.registered(ADA).await;
    let begun = ada.post_json("/api/auth/factors/passkeys", &json!({})).await;
    let (_, credential) = Passkey::create(&begun.body["options"], 1);
    let confirm = "/api/auth/factors/passkeys/confirm";
    let body = json!({"token": begun.body["token"], "credential": credential, "name": "Key"});
    let unverified = ada.post_json(confirm, &body).await;
    assert_eq!((unverified.status, &unverified.body["errors"][0]["code"]), (400, &json!("credential_wrong")));
    ada.post_json(confirm, &body).await.assert_rejected(409, "challenge_expired");
    let mut long = body;
    long["credential"]["response"]["attestationObject"] = json!("A".repeat(8 * 1024 * 4 / 3 + 4));
    let long = ada.post_json(confirm, &long).await;
    assert_eq!(long.invalid_fields(), ["credential: credential_malformed"]);
    let empty = ada.post_json(confirm, &json!({"credential": {}})).await;
    assert_eq!(
        empty.invalid_fields(),
        ["token: required", "name: required", "credential: credential_malformed"]
    );
}

#[tokio::test]
async fn site_without_the_setting_has_no_passkeys() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    for path in ["login", "confirm"] {
        let asked = ada.post(&format!("/api/auth/{path}/passkey/options")).await;
        asked.assert_rejected(404, "not_found");
    }
    ada.post_json("/api/auth/factors/passkeys", &json!({})).await.assert_rejected(404, "not_found");
    assert_eq!(ada.get("/.well-known/webauthn").await.status, 404);
    let page = ada.get("/auth/account").await;
    assert!(!page.text.contains("passkey"), "{page}");

    let mut client = Api::start_with(&PASSKEYS).await.client();
    let related = client.get("/.well-known/webauthn").await;
    assert_eq!(related.body, json!({"origins": ["https://app.example.com", "https://app.example.org"]}));
}
