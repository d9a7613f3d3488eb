//! "This wasn't me" beside second factors: what the disowned session has added goes, and the mails alone let nobody past the rest.

use edgeward_kit::api::{Api, PASSKEYS};
use edgeward_kit::client::{PASSWORD, Response};
use edgeward_stack::inbox::{Inbox, Mail};
use serde_json::json;

const ADA: &str = "ada@example.com";
const NEW: &str = "a lantern for every window";
const CODES: &str = "/api/auth/factors/recovery-codes";

async fn start() -> (Api, Inbox) {
    Api::start_with_mail(&[&[("MAIL_OFF", "factors-changed")][..], &PASSKEYS].concat()).await
}

/// Delivers the mails, and returns the last one.
async fn last(api: &Api, inbox: &Inbox) -> Mail {
    api.deliver().await;
    inbox.mails().pop().expect("a mail")
}

async fn confirm(api: &Api, purpose: &str, mail: &Mail) {
    let body = json!({"purpose": purpose, "token": mail.token().expect("a link")});
    assert_eq!(api.client().post_json("/api/auth/mail/confirm", &body).await.status, 200, "{purpose}");
}

/// Verifies the address of a new user, whose factors outlive a new password then.
async fn verify(api: &Api, inbox: &Inbox) {
    confirm(api, "verify_email", &last(api, inbox).await).await;
}

/// Sets a new password by a mail, and signs in by it.
async fn reset_and_log_in(api: &Api, inbox: &Inbox) -> Response {
    let reset = api.reset_requested(inbox, ADA).await;
    let done = api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(NEW)).await;
    assert_eq!(done.status, 200, "{done}");
    api.client().login(ADA, NEW).await
}

async fn factors_and_codes(api: &Api) -> (i64, i64) {
    let query = "select (select count(*) from factors), (select count(*) from recovery_codes)";
    sqlx::query_as(query).fetch_one(&api.pool).await.expect("two numbers")
}

#[tokio::test]
async fn factors_of_other_sessions_stay_whoever_reads_the_mail() {
    let (api, inbox) = start().await;
    let mut ada = api.registered(ADA).await;
    verify(&api, &inbox).await;
    assert_eq!(api.client_from("203.0.113.9").login(ADA, PASSWORD).await.status, 200);
    let mail = last(&api, &inbox).await;
    assert_eq!(mail.subject, "Edgeward: new sign-in");
    api.clock.start();
    api.add_app(&mut ada).await;
    confirm(&api, "disown_sign_in", &mail).await;
    assert_eq!(factors_and_codes(&api).await, (1, 10));
    let login = reset_and_log_in(&api, &inbox).await;
    assert_eq!((login.status, &login.body["ways"]), (202, &json!(["totp", "recovery_code"])), "{login}");
}

#[tokio::test]
async fn factors_of_a_disowned_sign_in_go_with_it() {
    let (api, inbox) = start().await;
    let (_, app) = api.registered_with_app(ADA).await;
    let mut thief = api.client_from("203.0.113.9");
    let token = thief.begin_login(ADA).await;
    assert_eq!(thief.complete_login(&token, &app.next_code(&api)).await.status, 200);
    let mail = last(&api, &inbox).await;
    api.add_app(&mut thief).await;
    thief.add_passkey(false).await;
    assert_eq!(thief.post(CODES).await.status, 201);
    assert_eq!(factors_and_codes(&api).await, (3, 10));
    confirm(&api, "disown_sign_in", &mail).await;
    assert_eq!(factors_and_codes(&api).await, (1, 0), "the codes were the thief's");
    let removed = "select count(*) from audit_log where event = 'factor_removed' and user_id = 1";
    assert_eq!(api.count(removed).await, 2);
}

#[tokio::test]
async fn passkey_of_a_disowned_sign_in_goes_and_a_recovery_code_stands_in_for_it() {
    let (api, inbox) = start().await;
    let (_, mut passkey, codes) = api.registered_with_passkey(ADA).await;
    verify(&api, &inbox).await;
    let mut thief = api.client_from("203.0.113.9");
    assert_eq!(thief.login_with_passkey(&mut passkey).await.status, 200);
    let mail = last(&api, &inbox).await;
    assert_eq!(mail.subject, "Edgeward: new sign-in");
    confirm(&api, "disown_sign_in", &mail).await;
    thief.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_unknown");
    let login = reset_and_log_in(&api, &inbox).await;
    assert_eq!((login.status, &login.body["ways"]), (202, &json!(["recovery_code"])), "{login}");
    let mut ada = api.client();
    let token = ada.login(ADA, NEW).await.body["token"].clone();
    assert_eq!(ada.complete_login(&token, &codes[0]).await.status, 200);
    assert!(ada.get("/auth/account").await.text.contains("9 left"), "one is demanded, and the page says so");
    api.add_app(&mut ada).await;
    assert_eq!(factors_and_codes(&api).await, (1, 9));
}

#[tokio::test]
async fn passkey_of_a_second_step_goes_with_the_disowned_sign_in() {
    let (api, inbox) = start().await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    let mut thief = api.client_from("203.0.113.9");
    let token = thief.begin_login(ADA).await;
    assert_eq!(thief.complete_login_with_passkey(&token, &mut passkey).await.status, 200);
    confirm(&api, "disown_sign_in", &last(&api, &inbox).await).await;
    assert_eq!(factors_and_codes(&api).await, (0, 10));
}

#[tokio::test]
async fn factors_of_a_session_that_changed_the_address_go_with_the_change() {
    let (api, inbox) = start().await;
    let mut ada = api.registered(ADA).await;
    let (mut thief, new) = (ada.clone(), "thief@example.com");
    assert_eq!(ada.login(ADA, PASSWORD).await.status, 200);
    thief.add_passkey(true).await;
    let asked = thief.post_json("/api/auth/email", &json!({"email": new, "password": PASSWORD})).await;
    assert_eq!(asked.status, 202, "{asked}");
    confirm(&api, "change_email", &last(&api, &inbox).await).await;
    ada.add_passkey(true).await;
    confirm(&api, "undo_email", &last(&api, &inbox).await).await;
    assert_eq!(api.count("select sum(id)::bigint from factors").await, 2, "that of the other session");
}
