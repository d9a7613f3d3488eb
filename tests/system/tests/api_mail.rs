//! Mails about an account: verification and change of its address, new passwords, new sign-ins.

use edgeward_kit::api::Api;
use edgeward_kit::client::PASSWORD;
use edgeward_stack::inbox::{Inbox, Mail};
use serde_json::{Value, json};
use time::Duration;

const EMAIL: &str = "ada@example.com";
const NEW_EMAIL: &str = "countess@example.com";
const NEW: &str = "a lantern for every window";

/// Delivers the mails, and returns those to an address, the newest last.
async fn mails(api: &Api, inbox: &Inbox, to: &str) -> Vec<Mail> {
    api.deliver().await;
    inbox.mails().into_iter().filter(|mail| mail.to == to).collect()
}

async fn factors_and_codes(api: &Api) -> (i64, i64) {
    let query = "select (select count(*) from factors), (select count(*) from recovery_codes)";
    sqlx::query_as(query).fetch_one(&api.pool).await.expect("two numbers")
}

async fn is_verified(api: &Api) -> bool {
    let query = "select email_verified_at is not null from users order by id limit 1";
    sqlx::query_scalar(query).fetch_one(&api.pool).await.expect("a user")
}

#[tokio::test]
async fn registration_sends_a_mail_that_verifies_the_address() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.registered(EMAIL).await;
    let mail = api.last_mail(&inbox, EMAIL).await;
    assert_eq!(mail.subject, "Edgeward: confirm your e-mail address");
    assert!(!is_verified(&api).await);
    assert!(client.get("/auth/account").await.text.contains("not confirmed yet"));
    api.confirm_mail("change_email", &mail).await.assert_rejected(400, "link_invalid");
    assert_eq!(api.confirm_mail("verify_email", &mail).await.status, 200);
    assert!(is_verified(&api).await);
    api.confirm_mail("verify_email", &mail).await.assert_rejected(400, "link_invalid");
    assert!(client.get("/auth/account").await.text.contains("This address is confirmed."));
}

#[tokio::test]
async fn address_is_verified_by_a_code_on_the_account_page() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.registered(EMAIL).await;
    let page = client.submit("/auth/account", "/auth/account/email-verification", &[]).await;
    let (_, after) = page.text.split_once("name=\"requestId\" value=\"").expect("a handle");
    let request_id = after.split('"').next().expect("a handle");
    let mail = api.last_mail(&inbox, EMAIL).await;
    let body = json!({"purpose": "verify_email", "requestId": request_id, "code": mail.code()});
    assert_eq!(api.client().post_json("/api/auth/mail/confirm", &body).await.status, 200);
    assert!(is_verified(&api).await);
}

#[tokio::test]
async fn mail_is_in_the_language_of_its_request() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.client();
    let body = edgeward_kit::client::registration(EMAIL);
    let request = client.request(reqwest::Method::POST, "/api/auth/register").json(&body);
    assert_eq!(client.send(request.header("accept-language", "de-AT")).await.status, 201);
    let mail = api.last_mail(&inbox, EMAIL).await;
    assert_eq!(mail.subject, "Edgeward: E-Mail-Adresse bestätigen");
    assert!(mail.html.contains("lang=\"de\"") && mail.text.contains("Adresse bestätigen"), "{mail:?}");
}

#[tokio::test]
async fn new_password_ends_changes_of_address_that_wait() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut owner = api.registered(EMAIL).await;
    assert_eq!(owner.request_email_change(NEW_EMAIL).await.status, 202);
    let link = api.last_mail(&inbox, NEW_EMAIL).await;
    let fields = [("currentPassword", PASSWORD), ("password", NEW)];
    assert_eq!(owner.submit("/auth/account", "/auth/account/password", &fields).await.status, 303);
    api.confirm_mail("change_email", &link).await.assert_rejected(400, "link_invalid");

    let reset = api.reset_requested(&inbox, EMAIL).await;
    let change = json!({"email": NEW_EMAIL, "password": NEW});
    assert_eq!(owner.post_json("/api/auth/email", &change).await.status, 202);
    let link = api.last_mail(&inbox, NEW_EMAIL).await;
    let done = api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(PASSWORD)).await;
    assert_eq!(done.status, 200, "{done}");
    api.confirm_mail("change_email", &link).await.assert_rejected(400, "link_invalid");
}

#[tokio::test]
async fn disowned_sign_in_changes_no_address_afterwards() {
    for mails_off in ["verification", "verification,password-reset"] {
        let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", mails_off)]).await;
        api.registered(EMAIL).await;
        let mut thief = api.client_from("203.0.113.9");
        assert_eq!(thief.login(EMAIL, PASSWORD).await.status, 200);
        assert_eq!(thief.request_email_change(NEW_EMAIL).await.status, 202);
        let link = api.last_mail(&inbox, NEW_EMAIL).await;
        let notice = api.last_mail(&inbox, EMAIL).await;
        assert_eq!(api.confirm_mail("disown_sign_in", &notice).await.status, 200);
        api.confirm_mail("change_email", &link).await.assert_rejected(400, "link_invalid");
    }
}

#[tokio::test]
async fn sign_in_on_an_unknown_device_is_told_and_can_be_disowned() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut owner = api.registered(EMAIL).await;
    assert_eq!(owner.login(EMAIL, PASSWORD).await.status, 200);
    let subjects = |mails: Vec<Mail>| mails.into_iter().map(|mail| mail.subject).collect::<Vec<_>>();
    assert_eq!(subjects(mails(&api, &inbox, EMAIL).await), ["Edgeward: confirm your e-mail address"]);

    let mut thief = api.client_from("203.0.113.9");
    assert_eq!(thief.login(EMAIL, PASSWORD).await.status, 200);
    let mail = api.last_mail(&inbox, EMAIL).await;
    assert_eq!(mail.subject, "Edgeward: new sign-in");
    assert!(mail.text.contains("Network: 203.0.113.0/24. Time: 2030-01-01 00:00 UTC."), "{mail:?}");
    let app = api.add_app(&mut thief).await;
    assert_eq!(app.recovery_codes.len(), 10);
    // A notice of the night, or of a weekend, is read later.
    api.clock.advance(Duration::hours(72) - Duration::SECOND);
    assert_eq!(thief.refresh().await.status, 200);
    assert_eq!(api.confirm_mail("disown_sign_in", &mail).await.status, 200);
    thief.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(api.reset_requested(&inbox, EMAIL).await.mail.subject, "Edgeward: set a new password");
    assert_eq!(factors_and_codes(&api).await, (0, 0));
}

#[tokio::test]
async fn every_new_password_is_told() {
    let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", "verification,new-sign-in")]).await;
    let mut client = api.registered(EMAIL).await;
    let fields = [("currentPassword", PASSWORD), ("password", NEW)];
    assert_eq!(client.submit("/auth/account", "/auth/account/password", &fields).await.status, 303);
    let reset = api.reset_requested(&inbox, EMAIL).await;
    api.clock.advance(Duration::SECOND);
    let confirmed =
        api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(PASSWORD)).await;
    assert_eq!(confirmed.status, 200, "{confirmed}");
    let told = mails(&api, &inbox, EMAIL).await;
    let told: Vec<_> =
        told.into_iter().filter(|mail| mail.subject.ends_with("password was changed")).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].link(), Some("https://app.example/auth/forgot-password"));
}

#[tokio::test]
async fn links_never_come_from_the_host_of_a_request() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.client();
    let body: Value = edgeward_kit::client::registration(EMAIL);
    let request = client.request(reqwest::Method::POST, "/api/auth/register").json(&body);
    let request = request.header("host", "evil.example").header("x-forwarded-host", "evil.example");
    assert_eq!(client.send(request).await.status, 201);
    let mail = api.last_mail(&inbox, EMAIL).await;
    assert!(mail.link().is_some_and(|link| link.starts_with("https://app.example/auth/")), "{mail:?}");
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"), "{mail:?}");
}

#[tokio::test]
async fn each_mail_can_be_turned_off() {
    let all = "verification,password-reset,password-changed,email-change,new-sign-in";
    let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", all)]).await;
    let mut client = api.registered(EMAIL).await;
    assert_eq!(api.client_from("203.0.113.9").login(EMAIL, PASSWORD).await.status, 200);
    let fields = [("currentPassword", PASSWORD), ("password", NEW)];
    assert_eq!(client.submit("/auth/account", "/auth/account/password", &fields).await.status, 303);
    client.request_email_change(NEW_EMAIL).await.assert_rejected(404, "not_found");
    client.post("/api/auth/email/verification").await.assert_rejected(404, "not_found");
    api.deliver().await;
    assert_eq!(inbox.mails(), []);
}
