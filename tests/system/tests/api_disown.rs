//! "It was not you" beside second factors: what the disowned session has added goes, and the mails alone let nobody past the rest.

use edgeward_kit::api::{Api, PASSKEYS};
use edgeward_kit::client::{Client, PASSWORD, Response};
use edgeward_stack::inbox::{Inbox, Mail};
use serde_json::{Value, json};
use time::Duration;

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
    assert_eq!(api.confirm_mail(purpose, mail).await.status, 200, "{purpose}");
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
    let page = ada.get("/auth/account").await.text;
    assert!(page.contains("9 left") && page.contains("After the last one your password alone"), "{page}");
    api.add_app(&mut ada).await;
    assert_eq!(factors_and_codes(&api).await, (1, 9));
}

#[tokio::test]
async fn codes_that_outlive_their_factor_outlive_a_passkey_that_demands_nothing() {
    let (api, inbox) = start().await;
    let mut ada = api.registered(ADA).await;
    verify(&api, &inbox).await;
    ada.add_passkey(true).await;
    let (mut passkey, added) = ada.add_passkey(false).await;
    let mut thief = api.client_from("203.0.113.9");
    assert_eq!(thief.login_with_passkey(&mut passkey).await.status, 200);
    confirm(&api, "disown_sign_in", &last(&api, &inbox).await).await;
    assert_eq!(factors_and_codes(&api).await, (1, 10));
    let token = reset_and_log_in(&api, &inbox).await.body["token"].clone();
    let code = added.body["recoveryCodes"][0].as_str().expect("a code");
    assert_eq!(ada.complete_login(&token, code).await.status, 200);
    assert_eq!(ada.delete("/api/auth/factors/1").await.status, 200);
    assert_eq!(factors_and_codes(&api).await, (0, 9));
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

/// Has the thief change the address, and returns the mail to the former one.
async fn change_email(api: &Api, inbox: &Inbox, thief: &mut Client) -> Mail {
    let asked = thief.request_email_change("thief@example.com").await;
    assert_eq!(asked.status, 202, "{asked}");
    confirm(api, "change_email", &last(api, inbox).await).await;
    last(api, inbox).await
}

#[tokio::test]
async fn factors_of_all_sessions_since_a_change_of_the_address_go_with_it() {
    let (api, inbox) = start().await;
    let mut ada = api.registered(ADA).await;
    let mut other = api.client();
    assert_eq!(other.login(ADA, PASSWORD).await.status, 200);
    ada.add_passkey(true).await;
    api.clock.advance(Duration::minutes(2));
    let mail = change_email(&api, &inbox, &mut ada).await;
    // A session that is older than the one that has changed the address, and one that is younger.
    assert_eq!(api.count("select sum(id)::bigint from factors").await, 1);
    for thief in [&mut other.clone(), &mut api.client()] {
        assert_eq!(thief.login("thief@example.com", PASSWORD).await.status, 200);
        thief.add_passkey(true).await;
    }
    api.add_app(&mut other).await;
    confirm(&api, "undo_email", &mail).await;
    assert_eq!(factors_and_codes(&api).await, (0, 0));
    assert_eq!(reset_and_log_in(&api, &inbox).await.status, 200, "the owner is in");
}

#[tokio::test]
async fn factors_that_are_older_than_three_days_stay() {
    let (api, inbox) = start().await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    api.clock.advance(Duration::hours(73));
    assert_eq!(ada.refresh().await.status, 200);
    ada.confirm(&app.code(&api)).await;
    ada.add_passkey(false).await;
    let mail = change_email(&api, &inbox, &mut ada).await;
    confirm(&api, "undo_email", &mail).await;
    assert_eq!(factors_and_codes(&api).await, (1, 10), "the app, which its own mail has told of");
}

#[tokio::test]
async fn mail_about_a_recovery_code_at_a_sign_in_takes_what_this_session_has_added() {
    let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", "new-sign-in")]).await;
    let (_, app) = api.registered_with_app(ADA).await;
    let mut thief = api.client();
    let token = thief.begin_login(ADA).await;
    assert_eq!(thief.complete_login(&token, &app.recovery_codes[0]).await.status, 200);
    let mail = last(&api, &inbox).await;
    assert!(mail.text.starts_with("A recovery code of your account"), "{mail:?}");
    api.clock.start();
    api.add_app(&mut thief).await;
    confirm(&api, "disown_sign_in", &mail).await;
    assert_eq!(factors_and_codes(&api).await, (1, 9));
}

#[tokio::test]
async fn mail_about_a_reset_by_others_takes_what_was_added_since() {
    let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", "new-sign-in")]).await;
    api.registered_with_app(ADA).await;
    let mut root = api.admin("root@example.com").await;
    assert_eq!(root.delete("/api/admin/users/1/factors").await.status, 200);
    let mail = last(&api, &inbox).await;
    let mut thief = api.client();
    assert_eq!(thief.login(ADA, PASSWORD).await.status, 200);
    api.add_app(&mut thief).await;
    confirm(&api, "disown_sign_in", &mail).await;
    assert_eq!(factors_and_codes(&api).await, (0, 0));
}

#[tokio::test]
async fn passkey_that_began_a_session_goes_by_every_mail_about_it() {
    let settings = [&[("MAIL_OFF", "new-sign-in")][..], &PASSKEYS].concat();
    let (api, inbox) = Api::start_with_mail(&settings).await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    api.clock.advance(Duration::days(10));
    let mut thief = api.client();
    assert_eq!(thief.login_with_passkey(&mut passkey).await.status, 200);
    api.add_app(&mut thief).await;
    confirm(&api, "disown_sign_in", &last(&api, &inbox).await).await;
    assert_eq!(factors_and_codes(&api).await, (0, 10), "the codes are ten days old");
}

#[tokio::test]
async fn passkey_that_began_a_session_goes_by_the_change_of_address_that_outlives_the_session() {
    let (api, inbox) = start().await;
    let (_, mut passkey, _) = api.registered_with_passkey(ADA).await;
    api.clock.advance(Duration::days(10));
    let mut thief = api.client();
    assert_eq!(thief.login_with_passkey(&mut passkey).await.status, 200);
    let body = json!({"email": "thief@example.com", "password": PASSWORD});
    assert_eq!(thief.post_json("/api/auth/email", &body).await.status, 202);
    let mail = last(&api, &inbox).await;
    assert_eq!(thief.logout().await.status, 200);
    confirm(&api, "change_email", &mail).await;
    confirm(&api, "undo_email", &last(&api, &inbox).await).await;
    assert_eq!(factors_and_codes(&api).await, (0, 10));
}

#[tokio::test]
async fn what_is_taken_is_told_by_no_other_link() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let (mut ada, app) = api.registered_with_app(ADA).await;
    ada.confirm(&app.next_code(&api)).await;
    api.add_app(&mut ada).await;
    let mail = last(&api, &inbox).await;
    let told = inbox.mails().len();
    confirm(&api, "disown_sign_in", &mail).await;
    assert_eq!(factors_and_codes(&api).await, (0, 0));
    api.deliver().await;
    assert_eq!(inbox.mails().len(), told);
    let disowned = "select details::text from audit_log where event = 'sign_in_disowned'";
    let details: String = sqlx::query_scalar(disowned).fetch_one(&api.pool).await.expect("an entry");
    let expected = json!({"factors_removed": 2, "recovery_codes_removed": 10, "sessions_ended": 1});
    assert_eq!(details.parse::<Value>().expect("JSON"), expected);
}

#[tokio::test]
async fn devices_that_were_known_before_a_disowned_sign_in_are_told_again() {
    let (api, inbox) = start().await;
    let (_, mut passkey, codes) = api.registered_with_passkey(ADA).await;
    verify(&api, &inbox).await;
    let mut thief = api.client_from("203.0.113.9");
    let token = thief.begin_login(ADA).await;
    assert_eq!(thief.complete_login(&token, &codes[0]).await.status, 200);
    let mail = last(&api, &inbox).await;
    let told = inbox.mails().len();
    assert_eq!(thief.login_with_passkey(&mut passkey).await.status, 200);
    api.deliver().await;
    assert_eq!(inbox.mails().len(), told, "the device is known by now");
    for _ in 0..5 {
        // As many as are told in an hour.
        assert_eq!(api.client_from("203.0.113.9").login_with_passkey(&mut passkey).await.status, 200);
    }
    confirm(&api, "disown_sign_in", &mail).await;
    assert_eq!(thief.login_with_passkey(&mut passkey).await.status, 200);
    confirm(&api, "disown_sign_in", &last(&api, &inbox).await).await;
    thief.login_with_passkey(&mut passkey).await.assert_rejected(401, "passkey_unknown");
}

#[tokio::test]
async fn passkey_that_confirmed_a_session_goes_with_it() {
    let (api, inbox) = Api::start_with_mail(&[&[("MAIL_OFF", "new-sign-in")][..], &PASSKEYS].concat()).await;
    let (_, mut passkey, codes) = api.registered_with_passkey(ADA).await;
    api.clock.advance(Duration::days(10));
    let mut thief = api.client();
    let token = thief.begin_login(ADA).await;
    assert_eq!(thief.complete_login(&token, &codes[0]).await.status, 200);
    assert_eq!(thief.confirm_with_passkey(&mut passkey).await.status, 200);
    api.add_app(&mut thief).await;
    confirm(&api, "disown_sign_in", &last(&api, &inbox).await).await;
    assert_eq!(factors_and_codes(&api).await, (0, 9));
}
