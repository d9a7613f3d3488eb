//! Second factors: authenticator apps and recovery codes, how they are added, used and removed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_kit::api::{Api, App};
use edgeward_kit::client::{PASSWORD, Response};
use insta::assert_snapshot;
use serde_json::{Value, json};
use time::Duration;

const ADA: &str = "ada@example.com";
const LIST: &str = "/api/auth/factors";

fn id_of_first(list: &Response) -> String {
    format!("{LIST}/{}", list.body["factors"][0]["id"])
}

#[tokio::test]
async fn password_alone_starts_no_session_once_there_is_an_app() {
    let api = Api::start().await;
    let (_, app) = api.registered_with_app(ADA).await;
    let mut client = api.client();
    let begun = client.login(ADA, PASSWORD).await;
    assert_eq!(begun.status, 202);
    assert_eq!(begun.body["ways"], json!(["totp", "recovery_code"]));
    assert_eq!(begun.body["expiresAt"], "2030-01-01T00:10:00.000Z");
    assert!(begun.set_cookies().is_empty(), "{begun}");
    client.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");

    let token = &begun.body["token"];
    client.complete_login(token, "000000").await.assert_rejected(401, "factor_wrong");
    let completed = client.complete_login(token, &app.next_code(&api)).await;
    assert_eq!((completed.status, completed.set_cookies().len()), (200, 3), "{completed}");
    assert_eq!(client.get("/api/auth/self").await.body["user"]["id"], 1);
}

#[tokio::test]
async fn wrong_password_tells_nothing_about_factors() {
    let api = Api::start().await;
    api.registered_with_app(ADA).await;
    api.client().login(ADA, "not the password").await.assert_rejected(401, "credentials_wrong");
}

#[tokio::test]
async fn code_and_pending_login_are_used_once() {
    let api = Api::start().await;
    let (_, app) = api.registered_with_app(ADA).await;
    let (mut first, mut second) = (api.client(), api.client());
    let tokens = [first.begin_login(ADA).await, second.begin_login(ADA).await];
    second.complete_login(&tokens[1], &app.code(&api)).await.assert_rejected(401, "factor_wrong");
    let code = app.next_code(&api);
    assert_eq!(first.complete_login(&tokens[0], &code).await.status, 200);
    second.complete_login(&tokens[1], &code).await.assert_rejected(401, "factor_wrong");
    let code = app.next_code(&api);
    first.complete_login(&tokens[0], &code).await.assert_rejected(401, "login_expired");
    assert_eq!(second.complete_login(&tokens[1], &code).await.status, 200, "the code was not used");
}

#[tokio::test]
async fn one_of_two_uses_of_a_code_at_the_same_time_counts() {
    let api = Api::start().await;
    let (_, app) = api.registered_with_app(ADA).await;
    let (mut first, mut second) = (api.client(), api.client());
    let tokens = [first.begin_login(ADA).await, second.begin_login(ADA).await];
    let code = app.next_code(&api);
    let both =
        tokio::join!(first.complete_login(&tokens[0], &code), second.complete_login(&tokens[1], &code));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn pending_login_ends_with_its_time_its_password_and_its_account() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    api.clock.advance(Duration::minutes(10));
    client.complete_login(&token, &app.code(&api)).await.assert_rejected(401, "login_expired");

    ada.confirm(&app.next_code(&api)).await;
    let token = client.begin_login(ADA).await;
    let fields = [("currentPassword", PASSWORD), ("password", "a lantern for every window")];
    let changed = ada.submit("/auth/account", "/auth/account/password", &fields).await;
    assert_eq!(changed.status, 303, "{changed}");
    client.complete_login(&token, &app.next_code(&api)).await.assert_rejected(401, "login_expired");

    let begun = client.login(ADA, "a lantern for every window").await;
    api.disable(ADA).await;
    let completed = client.complete_login(&begun.body["token"], &app.next_code(&api)).await;
    completed.assert_rejected(403, "account_disabled");
}

#[tokio::test]
async fn pending_login_is_of_the_program_that_began_it() {
    let api = Api::start().await;
    let (_, app) = api.registered_with_app(ADA).await;
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    let body = json!({"token": token, "code": app.next_code(&api)});
    let other = client.request(reqwest::Method::POST, "/api/auth/login/factor").json(&body);
    let other = client.send(other.header("user-agent", "another")).await;
    other.assert_rejected(401, "login_expired");
    assert_eq!(client.post_json("/api/auth/login/factor", &body).await.status, 200);
}

#[tokio::test]
async fn recovery_code_replaces_the_app_once() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    assert_eq!(app.recovery_codes.len(), 10);
    let code = app.recovery_codes[3].to_uppercase();
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    assert_eq!(client.complete_login(&token, &code).await.status, 200);
    let token = client.begin_login(ADA).await;
    client.complete_login(&token, &code).await.assert_rejected(401, "factor_wrong");
    assert_eq!(ada.get(LIST).await.body["recoveryCodesLeft"], 9);

    ada.confirm(&app.next_code(&api)).await;
    let made = ada.post("/api/auth/factors/recovery-codes").await;
    assert_eq!(made.status, 201, "{made}");
    client.complete_login(&token, &app.recovery_codes[4]).await.assert_rejected(401, "factor_wrong");
    let new = made.body["recoveryCodes"][0].as_str().expect("a code");
    assert_eq!(client.complete_login(&token, new).await.status, 200);
}

#[tokio::test]
async fn list_has_names_and_the_last_use() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    let list = ada.get(LIST).await;
    assert_snapshot!(list, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "factors": [
        {
          "createdAt": "2030-01-01T00:00:00.000Z",
          "demanded": true,
          "id": 1,
          "kind": "totp",
          "lastUsedAt": null,
          "name": "Phone"
        }
      ],
      "message": "Factors fetched successfully",
      "recoveryCodesLeft": 10
    }
    "#);
    ada.confirm(&app.next_code(&api)).await;
    let renamed = ada.patch_json(&id_of_first(&list), &json!({"name": "  Old phone "})).await;
    assert_eq!(renamed.status, 200, "{renamed}");
    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    assert_eq!(client.complete_login(&token, &app.next_code(&api)).await.status, 200);
    let factor = ada.get(LIST).await.body["factors"][0].clone();
    assert_eq!(
        (&factor["name"], &factor["lastUsedAt"]),
        (&json!("Old phone"), &json!("2030-01-01T00:01:00.000Z"))
    );

    let mut bob = api.registered("bob@example.com").await;
    let id = id_of_first(&list);
    bob.patch_json(&id, &json!({"name": "Mine"})).await.assert_rejected(404, "not_found");
    bob.delete(&id).await.assert_rejected(404, "not_found");
    bob.post("/api/auth/factors/recovery-codes").await.assert_rejected(404, "not_found");
}

#[tokio::test]
async fn two_ways_are_kept_until_the_last_factor_goes() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    ada.confirm(&app.next_code(&api)).await;
    let second = api.add_app(&mut ada).await;
    assert!(second.recovery_codes.is_empty(), "there were some");
    for code in &app.recovery_codes {
        let mut client = api.client();
        let token = client.begin_login(ADA).await;
        assert_eq!(client.complete_login(&token, code).await.status, 200);
    }
    let list = ada.get(LIST).await;
    ada.delete(&id_of_first(&list)).await.assert_rejected(409, "too_few_ways");
    assert_eq!(ada.post("/api/auth/factors/recovery-codes").await.status, 201);
    assert_eq!(ada.delete(&id_of_first(&list)).await.status, 200);
    ada.delete(&id_of_first(&list)).await.assert_rejected(404, "not_found");

    let mut client = api.client();
    let token = client.begin_login(ADA).await;
    client.complete_login(&token, &app.next_code(&api)).await.assert_rejected(401, "factor_wrong");
    let list = ada.get(LIST).await;
    assert_eq!(ada.delete(&id_of_first(&list)).await.status, 200);
    assert_eq!(ada.get(LIST).await.body["recoveryCodesLeft"], 0);
    assert_eq!(client.login(ADA, PASSWORD).await.status, 200, "the password alone");
}

#[tokio::test]
async fn app_is_added_by_its_first_code_in_the_session_that_began() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    let begun = ada.post("/api/auth/factors/totp").await;
    let (secret, token) = (begun.body["secret"].as_str().expect("a secret"), &begun.body["token"]);
    assert_eq!(
        begun.body["uri"],
        format!("otpauth://totp/Edgeward:ada%40example.com?secret={secret}&issuer=Edgeward")
    );
    let app = App::new(secret);
    let body = |code: &str| json!({"token": token, "code": code, "name": "Phone"});
    let confirm = "/api/auth/factors/totp/confirm";
    assert_eq!(ada.post_json(confirm, &body("000000")).await.invalid_fields(), ["code: code_wrong"]);
    let fields =
        ada.post_json(confirm, &json!({"token": "x", "code": "1", "name": ""})).await.invalid_fields();
    assert_eq!(fields, ["token: token_malformed", "code: code_malformed", "name: required"]);

    let mut other = api.logged_in(ADA).await;
    let code = app.code(&api);
    other.post_json(confirm, &body(&code)).await.assert_rejected(409, "challenge_expired");
    assert_eq!(ada.post_json(confirm, &body(&code)).await.status, 201);
    ada.post_json(confirm, &body(&code)).await.assert_rejected(409, "challenge_expired");
    ada.confirm(&app.next_code(&api)).await;
    let former = ada.post("/api/auth/factors/totp").await;
    let begun = ada.post("/api/auth/factors/totp").await;
    assert_eq!(api.count("select count(*) from factor_challenges").await, 1, "one of a session is open");
    let body = json!({"token": former.body["token"], "code": "000000", "name": "Phone"});
    ada.post_json(confirm, &body).await.assert_rejected(409, "challenge_expired");
    api.clock.advance(Duration::minutes(10));
    let body = json!({"token": begun.body["token"], "code": "000000", "name": "Phone"});
    ada.post_json(confirm, &body).await.assert_rejected(409, "challenge_expired");
}

#[tokio::test]
async fn secrets_and_codes_are_not_in_the_database_in_the_clear() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    let pending = api.client().begin_login(ADA).await;
    ada.confirm(&app.next_code(&api)).await;
    let begun = ada.post("/api/auth/factors/totp").await;
    let other = App::new(begun.body["secret"].as_str().expect("a secret"));
    assert!(!api.stores(app.secret()).await && !api.stores(other.secret()).await);
    assert!(!api.stores(app.recovery_codes[0].replace('-', "").as_bytes()).await);
    for ticket in [&pending, &begun.body["token"]] {
        let bytes = URL_SAFE_NO_PAD.decode(ticket.as_str().expect("a token")).expect("base64url");
        assert!(!api.stores(&bytes).await);
    }
    assert!(api.stores(b"Phone").await, "the name is");
}

#[tokio::test]
async fn administrator_resets_factors_and_the_log_has_every_change() {
    let api = Api::start().await;
    let (mut ada, _) = api.registered_with_app(ADA).await;
    let mut root = api.admin("root@example.com").await;
    let list = root.get("/api/admin/users/1/factors").await;
    assert_eq!(list.body["factors"][0]["name"], "Phone", "{list}");
    let revocations = api.count_revocations().await;
    let reset = root.delete("/api/admin/users/1/factors").await;
    assert_eq!((reset.status, &reset.body["factorsRemoved"]), (200, &json!(1)));
    assert_eq!(reset.body["sessionsEnded"], 1);
    ada.get(LIST).await.assert_rejected(401, "not_signed_in");
    ada.refresh().await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.count_revocations().await, revocations + 1, "the gateway rejects their tokens");
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200);
    assert_eq!(ada.get(LIST).await.body["factors"], json!([]));
    root.delete("/api/admin/users/99/factors").await.assert_rejected(404, "not_found");
    ada.delete("/api/admin/users/1/factors").await.assert_rejected(403, "not_allowed");

    let log = root.get("/api/admin/audit?userId=1").await;
    let entries = log.body["entries"].as_array().expect("entries");
    let line = |entry: &Value| format!("{} {} {}", entry["event"], entry["actor"], entry["details"]);
    let lines: Vec<String> = entries.iter().rev().map(line).map(|line| line.replace('"', "")).collect();
    assert_eq!(
        lines,
        [
            "register stranger {}",
            "factor_added user {kind:totp}",
            "recovery_codes_created user {}",
            "factors_reset admin {by:2,factors_removed:1,recovery_codes_removed:10,sessions_ended:1}",
            "login user {}",
        ]
    );
}

// holds: promise 14
#[tokio::test]
async fn confirmation_needs_the_code_of_a_user_with_an_app() {
    let api = Api::start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    let mut confirm = async |body: Value| ada.post_json("/api/auth/confirm", &body).await;
    let missing = confirm(json!({"password": PASSWORD})).await;
    assert_eq!((missing.status, missing.body["errors"][0]["path"].as_str()), (400, Some("code")));
    let wrong = json!({"password": PASSWORD, "code": "000000"});
    confirm(wrong).await.assert_rejected(401, "factor_wrong");
    let code = app.next_code(&api);
    let unknown = json!({"password": "not the password", "code": code});
    confirm(unknown).await.assert_rejected(401, "credentials_wrong");
    assert_eq!(
        confirm(json!({"password": PASSWORD, "code": code})).await.status,
        200,
        "the code was not used"
    );
    assert_eq!(ada.claims().amr, Some(["pwd", "otp", "mfa"].map(str::to_owned).to_vec()));
}
