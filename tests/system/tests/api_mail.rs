//! Mails about an account: verification and change of its address, new passwords, new sign-ins.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};
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

async fn last(api: &Api, inbox: &Inbox, to: &str) -> Mail {
    mails(api, inbox, to).await.pop().expect("a mail")
}

async fn confirm(api: &Api, purpose: &str, mail: &Mail) -> Response {
    let token = mail.token().expect("a link");
    api.client().post_json("/api/auth/mail/confirm", &json!({"purpose": purpose, "token": token})).await
}

async fn request_change(client: &mut Client, email: &str) -> Response {
    client.post_json("/api/auth/email", &json!({"email": email, "password": PASSWORD})).await
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
    let mail = last(&api, &inbox, EMAIL).await;
    assert_eq!(mail.subject, "Edgeward: confirm your e-mail address");
    assert!(!is_verified(&api).await);
    assert!(client.get("/auth/account").await.text.contains("not confirmed yet"));
    confirm(&api, "change_email", &mail).await.assert_rejected(400, "link_invalid");
    assert_eq!(confirm(&api, "verify_email", &mail).await.status, 200);
    assert!(is_verified(&api).await);
    confirm(&api, "verify_email", &mail).await.assert_rejected(400, "link_invalid");
    assert!(client.get("/auth/account").await.text.contains("This address is confirmed."));
}

#[tokio::test]
async fn address_is_verified_by_a_code_on_the_account_page() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.registered(EMAIL).await;
    let page = client.submit("/auth/account", "/auth/account/email-verification", &[]).await;
    let (_, after) = page.text.split_once("name=\"requestId\" value=\"").expect("a handle");
    let request_id = after.split('"').next().expect("a handle");
    let mail = last(&api, &inbox, EMAIL).await;
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
    let mail = last(&api, &inbox, EMAIL).await;
    assert_eq!(mail.subject, "Edgeward: E-Mail-Adresse bestätigen");
    assert!(mail.html.contains("lang=\"de\"") && mail.text.contains("Adresse bestätigen"), "{mail:?}");
}

#[tokio::test]
async fn new_address_counts_once_it_is_confirmed_and_the_former_one_is_told() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.registered(EMAIL).await;
    let wrong = json!({"email": NEW_EMAIL, "password": NEW});
    client.post_json("/api/auth/email", &wrong).await.assert_rejected(401, "credentials_wrong");
    assert_eq!(request_change(&mut client, NEW_EMAIL).await.status, 202);
    let mail = last(&api, &inbox, NEW_EMAIL).await;
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 200, "the former one until then");
    assert_eq!(api.client().login(NEW_EMAIL, PASSWORD).await.status, 401);
    assert_eq!(confirm(&api, "change_email", &mail).await.status, 200);
    assert_eq!(api.client().login(NEW_EMAIL, PASSWORD).await.status, 200);
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(client.get("/api/auth/self").await.body["user"]["email"], NEW_EMAIL);
    let notice = last(&api, &inbox, EMAIL).await;
    assert_eq!(notice.subject, "Edgeward: your e-mail address was changed");
    assert!(notice.text.contains(NEW_EMAIL), "{notice:?}");
}

#[tokio::test]
async fn former_address_undoes_the_change_for_72_hours_even_if_it_was_changed_again() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut thief = api.registered(EMAIL).await;
    assert_eq!(request_change(&mut thief, NEW_EMAIL).await.status, 202);
    let first = last(&api, &inbox, NEW_EMAIL).await;
    assert_eq!(confirm(&api, "change_email", &first).await.status, 200);
    assert_eq!(request_change(&mut thief, "third@example.com").await.status, 202);
    let second = last(&api, &inbox, "third@example.com").await;
    assert_eq!(confirm(&api, "change_email", &second).await.status, 200);
    let (undo, thiefs) = (last(&api, &inbox, EMAIL).await, last(&api, &inbox, NEW_EMAIL).await);

    api.clock.advance(Duration::hours(72) - Duration::SECOND);
    assert_eq!(confirm(&api, "undo_email", &undo).await.status, 200);
    confirm(&api, "undo_email", &thiefs).await.assert_rejected(400, "link_invalid");
    thief.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 401, "the thief knows that password");
    let reset = api.reset_requested(&inbox, EMAIL).await;
    let done = api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(NEW)).await;
    assert_eq!(done.status, 200, "{done}");
    assert_eq!(api.client().login(EMAIL, NEW).await.status, 200);
}

#[tokio::test]
async fn undo_is_not_undone_by_an_older_link() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut thief = api.registered(EMAIL).await;
    let mut links = Vec::new();
    for email in [NEW_EMAIL, "third@example.com"] {
        assert_eq!(request_change(&mut thief, email).await.status, 202);
        links.push(last(&api, &inbox, email).await);
    }
    assert_eq!(confirm(&api, "change_email", &links[0]).await.status, 200);
    let undo = last(&api, &inbox, EMAIL).await;
    assert_eq!(confirm(&api, "undo_email", &undo).await.status, 200);
    confirm(&api, "change_email", &links[1]).await.assert_rejected(400, "link_invalid");
}

#[tokio::test]
async fn new_password_ends_changes_of_address_that_wait() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut owner = api.registered(EMAIL).await;
    assert_eq!(request_change(&mut owner, NEW_EMAIL).await.status, 202);
    let link = last(&api, &inbox, NEW_EMAIL).await;
    let fields = [("currentPassword", PASSWORD), ("password", NEW)];
    assert_eq!(owner.submit("/auth/account", "/auth/account/password", &fields).await.status, 303);
    confirm(&api, "change_email", &link).await.assert_rejected(400, "link_invalid");

    let reset = api.reset_requested(&inbox, EMAIL).await;
    let change = json!({"email": NEW_EMAIL, "password": NEW});
    assert_eq!(owner.post_json("/api/auth/email", &change).await.status, 202);
    let link = last(&api, &inbox, NEW_EMAIL).await;
    let done = api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(PASSWORD)).await;
    assert_eq!(done.status, 200, "{done}");
    confirm(&api, "change_email", &link).await.assert_rejected(400, "link_invalid");
}

#[tokio::test]
async fn disowned_sign_in_changes_no_address_afterwards() {
    for mails_off in ["verification", "verification,password-reset"] {
        let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", mails_off)]).await;
        api.registered(EMAIL).await;
        let mut thief = api.client_from("203.0.113.9");
        assert_eq!(thief.login(EMAIL, PASSWORD).await.status, 200);
        assert_eq!(request_change(&mut thief, NEW_EMAIL).await.status, 202);
        let link = last(&api, &inbox, NEW_EMAIL).await;
        let notice = last(&api, &inbox, EMAIL).await;
        assert_eq!(confirm(&api, "disown_sign_in", &notice).await.status, 200);
        confirm(&api, "change_email", &link).await.assert_rejected(400, "link_invalid");
    }
}

#[tokio::test]
async fn address_of_another_user_cannot_be_taken() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut client = api.registered(EMAIL).await;
    api.registered(NEW_EMAIL).await;
    assert_eq!(request_change(&mut client, NEW_EMAIL).await.status, 202, "nobody learns that it is known");
    let mail = last(&api, &inbox, NEW_EMAIL).await;
    confirm(&api, "change_email", &mail).await.assert_rejected(409, "email_taken");
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn address_that_is_left_again_gets_no_way_back() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut ada = api.registered(EMAIL).await;
    assert_eq!(request_change(&mut ada, NEW_EMAIL).await.status, 202);
    confirm(&api, "change_email", &last(&api, &inbox, NEW_EMAIL).await).await;
    let undo = last(&api, &inbox, EMAIL).await;
    assert_eq!(request_change(&mut ada, "third@example.com").await.status, 202);
    confirm(&api, "change_email", &last(&api, &inbox, "third@example.com").await).await;
    let of_second = last(&api, &inbox, NEW_EMAIL).await;
    assert_eq!(request_change(&mut ada, EMAIL).await.status, 202);
    assert_eq!(confirm(&api, "change_email", &last(&api, &inbox, EMAIL).await).await.status, 200);
    let told = last(&api, &inbox, "third@example.com").await;
    assert_eq!((told.subject.as_str(), told.link()), ("Edgeward: your e-mail address was changed", None));
    assert!(told.text.contains("was changed to ada@example.com"), "{told:?}");
    confirm(&api, "undo_email", &of_second).await.assert_rejected(400, "link_invalid");

    // The same by the link, which is used from the address that the account has again.
    assert_eq!(request_change(&mut ada, NEW_EMAIL).await.status, 202);
    confirm(&api, "change_email", &last(&api, &inbox, NEW_EMAIL).await).await;
    assert_eq!(confirm(&api, "undo_email", &undo).await.status, 200);
    assert_eq!(last(&api, &inbox, NEW_EMAIL).await.link(), None);
}

#[tokio::test]
async fn change_back_leaves_the_links_of_the_address_that_the_account_has() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut thief = api.registered(EMAIL).await;
    let mut links = Vec::new();
    for _ in 0..2 {
        for email in [NEW_EMAIL, EMAIL] {
            assert_eq!(request_change(&mut thief, email).await.status, 202);
            confirm(&api, "change_email", &last(&api, &inbox, email).await).await;
            links.push(last(&api, &inbox, EMAIL).await);
        }
        assert_eq!(api.client_from("203.0.113.9").login(EMAIL, PASSWORD).await.status, 200);
        links.push(last(&api, &inbox, EMAIL).await);
    }
    for (at, purpose) in [(2, "disown_sign_in"), (5, "disown_sign_in"), (3, "undo_email"), (0, "undo_email")]
    {
        assert_eq!(confirm(&api, purpose, &links[at]).await.status, 200, "{at}");
    }
}

#[tokio::test]
async fn former_address_is_kept_for_its_owner_as_long_as_the_link_counts() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut ada = api.registered(EMAIL).await;
    let mut other = api.registered("eve@example.com").await;
    assert_eq!(request_change(&mut other, EMAIL).await.status, 202);
    let to_former = last(&api, &inbox, EMAIL).await;
    assert_eq!(request_change(&mut ada, NEW_EMAIL).await.status, 202);
    confirm(&api, "change_email", &last(&api, &inbox, NEW_EMAIL).await).await;
    let undo = last(&api, &inbox, EMAIL).await;
    api.client().register(EMAIL).await.assert_rejected(409, "email_taken");
    confirm(&api, "change_email", &to_former).await.assert_rejected(409, "email_taken");
    assert_eq!(confirm(&api, "undo_email", &undo).await.status, 200);

    // An address is the same in other letters, which SQL by hand may have stored.
    assert_eq!(request_change(&mut other, "e@example.com").await.status, 202);
    confirm(&api, "change_email", &last(&api, &inbox, "e@example.com").await).await;
    let by_hand = "update one_time_tokens set email = 'Eve@Example.com' where email = 'eve@example.com'";
    sqlx::query(by_hand).execute(&api.pool).await.expect("a row");
    api.client().register("eve@example.com").await.assert_rejected(409, "email_taken");

    // Nobody waits for a user who is gone, or for a link that has expired.
    let mut bea = api.registered("bea@example.com").await;
    let mut cleo = api.registered("cleo@example.com").await;
    for (client, email) in [(&mut bea, "b@example.com"), (&mut cleo, "c@example.com")] {
        assert_eq!(request_change(client, email).await.status, 202);
        confirm(&api, "change_email", &last(&api, &inbox, email).await).await;
    }
    sqlx::query("delete from users where email = 'b@example.com'").execute(&api.pool).await.expect("a row");
    assert_eq!(api.client().register("bea@example.com").await.status, 201);
    api.client().register("cleo@example.com").await.assert_rejected(409, "email_taken");
    api.clock.advance(Duration::hours(72));
    assert_eq!(api.client().register("cleo@example.com").await.status, 201);
}

#[tokio::test]
async fn stranger_who_registered_an_address_and_left_it_leaves_no_factor_to_its_owner() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let (mut stranger, app) = api.registered_with_app(EMAIL).await;
    api.clock.advance(Duration::hours(80));
    assert_eq!(stranger.refresh().await.status, 200);
    stranger.confirm(&app.code(&api)).await;
    assert_eq!(request_change(&mut stranger, NEW_EMAIL).await.status, 202);
    confirm(&api, "change_email", &last(&api, &inbox, NEW_EMAIL).await).await;
    assert_eq!(confirm(&api, "undo_email", &last(&api, &inbox, EMAIL).await).await.status, 200);
    assert_eq!(
        factors_and_codes(&api).await,
        (1, 10),
        "the app is older than the mail by more than 72 hours"
    );
    let reset = api.reset_requested(&inbox, EMAIL).await;
    let done = api.client().post_json("/api/auth/password-reset/confirm", &reset.by_link(NEW)).await;
    assert_eq!(done.status, 200, "{done}");
    assert_eq!(api.client().login(EMAIL, NEW).await.status, 200);
}

#[tokio::test]
async fn former_address_is_kept_from_a_registration_that_waits_for_the_change() {
    let (api, _) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let mut change = api.pool.begin().await.expect("a transaction");
    for statement in [
        "update users set email = 'countess@example.com'",
        "insert into one_time_tokens (purpose, user_id, email, token_hash, created_at, expires_at)
         values ('undo_email', 1, 'ada@example.com', sha256(''), '2030-01-01', '2030-01-04')",
    ] {
        sqlx::query(statement).execute(&mut *change).await.expect("a change");
    }
    let mut client = api.client();
    let waiting = tokio::spawn(async move { client.register(EMAIL).await });
    api.wait_for_lock().await;
    change.commit().await.expect("a commit");
    waiting.await.expect("a response").assert_rejected(409, "email_taken");
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
    let mail = last(&api, &inbox, EMAIL).await;
    assert_eq!(mail.subject, "Edgeward: new sign-in");
    assert!(mail.text.contains("Network: 203.0.113.0/24. Time: 2030-01-01 00:00 UTC."), "{mail:?}");
    let app = api.add_app(&mut thief).await;
    assert_eq!(app.recovery_codes.len(), 10);
    // A notice of the night, or of a weekend, is read later.
    api.clock.advance(Duration::hours(72) - Duration::SECOND);
    assert_eq!(thief.refresh().await.status, 200);
    assert_eq!(confirm(&api, "disown_sign_in", &mail).await.status, 200);
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
    let mail = last(&api, &inbox, EMAIL).await;
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
    request_change(&mut client, NEW_EMAIL).await.assert_rejected(404, "not_found");
    client.post("/api/auth/email/verification").await.assert_rejected(404, "not_found");
    api.deliver().await;
    assert_eq!(inbox.mails(), []);
}
