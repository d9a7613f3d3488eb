//! Reset of forgotten passwords by a mail: what the link and the code do, and what nobody learns.

use edgeward_kit::api::{Api, Reset, request_reset};
use edgeward_kit::client::{Client, PASSWORD, Response};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

const EMAIL: &str = "ada@example.com";
const NEW: &str = "a lantern for every window";
const PAGE: &str = "/auth/reset-password";

async fn confirm(api: &Api, body: &Value) -> Response {
    api.client().post_json("/api/auth/password-reset/confirm", body).await
}

/// Returns the path of the link of a mail.
fn path(reset: &Reset) -> &str {
    reset.mail.link().expect("a link").strip_prefix("https://app.example").expect("our origin")
}

// holds: promise 15
#[tokio::test]
async fn reset_by_the_link_ends_all_sessions_and_starts_none() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    let mut signed_in = api.registered(EMAIL).await;
    let reset = api.reset_requested(&inbox, EMAIL).await;
    assert_eq!(reset.mail.subject, "Edgeward: set a new password");
    let response = confirm(&api, &reset.by_link(NEW)).await;
    assert_eq!(response.status, 200, "{response}");
    assert!(response.set_cookies().is_empty(), "{response}");
    signed_in.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(api.client().login(EMAIL, NEW).await.status, 200);
    confirm(&api, &reset.by_link(PASSWORD)).await.assert_rejected(400, "link_invalid");
    confirm(&api, &reset.by_code(PASSWORD)).await.assert_rejected(400, "link_invalid");
    let events = "select string_agg(event, ' ' order by id) from audit_log where event like 'password%'";
    let events: String = sqlx::query_scalar(events).fetch_one(&api.pool).await.expect("events");
    assert_eq!(events, "password_reset");
}

// holds: promise 15
#[tokio::test]
async fn scanner_that_opens_a_link_twice_uses_nothing_up() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let reset = api.reset_requested(&inbox, EMAIL).await;
    for method in [Method::GET, Method::HEAD, Method::GET, Method::HEAD] {
        let response = api.client().call(method, path(&reset), &[]).await;
        assert_eq!(response.status, 200, "{response}");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert_eq!(response.header("cache-control"), "no-store");
    }
    let token = reset.mail.token().expect("a link");
    let mut browser = api.client();
    let fields = [("token", token), ("password", NEW)];
    // A form of another site, or of a scanner that sends what it finds, has no token of ours.
    let forged = browser.form(PAGE, &fields);
    assert_eq!(browser.send(forged).await.status, 403);
    let done = browser.submit(path(&reset), PAGE, &fields).await;
    assert_eq!(done.status, 200, "{done}");
    assert!(done.text.contains("all sessions have ended"), "{done}");
    assert_eq!(api.client().login(EMAIL, NEW).await.status, 200);
}

#[tokio::test]
async fn page_asks_for_the_code_where_the_reset_began() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let mut browser = api.client();
    let page = browser.submit("/auth/forgot-password", "/auth/forgot-password", &[("email", EMAIL)]).await;
    assert_eq!(page.status, 200, "{page}");
    let (_, after) = page.text.split_once("name=\"requestId\" value=\"").expect("a handle");
    let request_id = after.split('"').next().expect("a handle").to_owned();
    api.deliver().await;
    let mails = inbox.mails();
    let code = mails.last().and_then(|mail| mail.code()).expect("a code");
    let submit = async |browser: &mut Client, code: &str| {
        let fields =
            [("form_token", page.form_token()), ("requestId", request_id.clone()), ("code", code.to_owned())];
        let mut fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("password", NEW));
        let request = browser.form(PAGE, &fields);
        browser.send(request).await
    };
    let wrong = submit(&mut browser, "0000 0000").await;
    assert_eq!(wrong.status, 400, "{wrong}");
    assert!(wrong.text.contains("not valid any more"), "{wrong}");
    assert_eq!(submit(&mut browser, code).await.status, 200);
    assert_eq!(api.client().login(EMAIL, NEW).await.status, 200);
}

#[tokio::test]
async fn code_counts_for_ten_minutes_and_five_tries_and_the_link_for_an_hour() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let reset = api.reset_requested(&inbox, EMAIL).await;
    api.clock.advance(Duration::minutes(10));
    confirm(&api, &reset.by_code(NEW)).await.assert_rejected(400, "link_invalid");
    api.clock.advance(Duration::minutes(50) - Duration::SECOND);
    assert_eq!(confirm(&api, &reset.by_link(NEW)).await.status, 200);

    let late = api.reset_requested(&inbox, EMAIL).await;
    api.clock.advance(Duration::HOUR);
    confirm(&api, &late.by_link(NEW)).await.assert_rejected(400, "link_invalid");

    let guessed = api.reset_requested(&inbox, EMAIL).await;
    let wrong = json!({"requestId": guessed.request_id, "code": "00000000", "password": NEW});
    for _ in 0..5 {
        confirm(&api, &wrong).await.assert_rejected(400, "link_invalid");
    }
    confirm(&api, &guessed.by_code(NEW)).await.assert_rejected(400, "link_invalid");
    assert_eq!(confirm(&api, &guessed.by_link(NEW)).await.status, 200, "guesses end nothing for the owner");
}

// holds: promise 15
#[tokio::test]
async fn code_counts_beside_its_own_request_alone() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let other = request_reset(&mut api.client(), "nobody@example.com").await;
    let reset = api.reset_requested(&inbox, EMAIL).await;
    let code = reset.mail.code().expect("a code");
    let with_other = json!({"requestId": other.body["requestId"], "code": code, "password": NEW});
    confirm(&api, &with_other).await.assert_rejected(400, "link_invalid");
    for body in
        [json!({"token": "short", "password": NEW}), json!({"requestId": "x", "code": code, "password": NEW})]
    {
        confirm(&api, &body).await.assert_rejected(400, "link_invalid");
    }
    let missing = confirm(&api, &json!({"password": NEW})).await;
    assert_eq!(missing.invalid_fields(), ["token: required"]);
}

#[tokio::test]
async fn link_is_of_no_use_once_the_password_has_changed() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let [first, second] =
        [api.reset_requested(&inbox, EMAIL).await, api.reset_requested(&inbox, EMAIL).await];
    api.clock.advance(Duration::SECOND);
    assert_eq!(confirm(&api, &first.by_link(NEW)).await.status, 200);
    confirm(&api, &second.by_link(PASSWORD)).await.assert_rejected(400, "link_invalid");
}

#[tokio::test]
async fn weak_password_leaves_the_link_valid() {
    let (api, inbox) = Api::start_with_mail(&[]).await;
    api.registered(EMAIL).await;
    let reset = api.reset_requested(&inbox, EMAIL).await;
    let weak = confirm(&api, &reset.by_code("ada@example.com")).await;
    assert_eq!(weak.invalid_fields(), ["password: password_too_weak"]);
    assert_eq!(confirm(&api, &reset.by_code(NEW)).await.status, 200);
}

#[tokio::test]
async fn reset_removes_factors_unless_the_address_was_verified() {
    for (is_verified, status) in [(false, 200), (true, 202)] {
        let (api, inbox) = Api::start_with_mail(&[]).await;
        api.registered_with_app(EMAIL).await;
        if is_verified {
            api.deliver().await;
            let mail = inbox.mails().remove(0);
            assert_eq!(api.confirm_mail("verify_email", &mail).await.status, 200);
        }
        let reset = api.reset_requested(&inbox, EMAIL).await;
        assert_eq!(confirm(&api, &reset.by_link(NEW)).await.status, 200);
        assert_eq!(api.client().login(EMAIL, NEW).await.status, status, "{is_verified}");
        let removed = "select count(*) from audit_log where event = 'factors_reset'";
        let removed: i64 = sqlx::query_scalar(removed).fetch_one(&api.pool).await.expect("a count");
        assert_eq!(removed, i64::from(!is_verified));
    }
}

// holds: promise 15
#[tokio::test]
async fn request_leaves_the_same_rows_behind_for_a_known_address_and_for_another() {
    let (api, inbox) = Api::start_with_mail(&[("MAIL_OFF", "verification")]).await;
    api.registered(EMAIL).await;
    api.registered("disabled@example.com").await;
    api.disable("disabled@example.com").await;
    let rows =
        "select (select count(*) from one_time_tokens) || ' ' || (select count(*) from outbox) || ' ' ||
                    (select count(*) from audit_log where event like 'password%')";
    for (count, email) in ["nobody@example.com", EMAIL, "disabled@example.com"].into_iter().enumerate() {
        let response = request_reset(&mut api.client(), email).await;
        let expected = json!({
            "message": "If a user has this e-mail, a mail is on its way",
            "requestId": response.body["requestId"]
        });
        assert_eq!((response.status, &response.body), (202, &expected));
        assert_eq!(response.body["requestId"].as_str().map(str::len), Some(43));
        let rows: String = sqlx::query_scalar(rows).fetch_one(&api.pool).await.expect("counts");
        assert_eq!(rows, format!("{0} {0} 0", count + 1), "{email}");
    }
    api.deliver().await;
    let recipients: Vec<_> = inbox.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(recipients, [EMAIL]);
    assert_eq!(api.outbox().await, (0, 0));
}

#[tokio::test]
async fn mails_to_a_recipient_are_limited_whether_it_is_known_or_not() {
    let (api, _inbox) = Api::start_with_mail(&[("LIMIT_MAIL", "2/1h")]).await;
    api.registered(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        let mut client = api.client();
        for _ in 0..2 {
            assert_eq!(request_reset(&mut client, email).await.status, 202, "{email}");
        }
        request_reset(&mut client, email).await.assert_rejected(429, "too_many_attempts");
    }
    // One client may ask for ten times as many.
    let mut client = api.client_from("203.0.113.9");
    for number in 0..20 {
        assert_eq!(request_reset(&mut client, &format!("a{number}@example.com")).await.status, 202);
    }
    request_reset(&mut client, "a20@example.com").await.assert_rejected(429, "too_many_attempts");
}

#[tokio::test]
async fn hundred_guesses_at_codes_of_mails_end_nothing_for_the_owner() {
    let (api, inbox) = Api::start_with_mail(&[("LIMIT_MAIL", "100/1h")]).await;
    let mut owner = api.registered(EMAIL).await;
    let own = api.reset_requested(&inbox, EMAIL).await;
    for at in 0..20 {
        let mut thief = api.client_from(&format!("203.0.{at}.7"));
        let request_id = request_reset(&mut thief, EMAIL).await.body["requestId"].clone();
        let guess = json!({"requestId": request_id, "code": "00000000", "password": NEW});
        for _ in 0..5 {
            let wrong = thief.post_json("/api/auth/password-reset/confirm", &guess).await;
            wrong.assert_rejected(400, "link_invalid");
        }
    }
    assert_eq!(owner.refresh().await.status, 200, "the session goes on");
    assert_eq!(api.client().login(EMAIL, PASSWORD).await.status, 200, "the password counts");
    assert_eq!(confirm(&api, &own.by_code(NEW)).await.status, 200, "so does the code of the owner's request");
}

#[tokio::test]
async fn links_and_codes_of_one_address_are_limited() {
    let (api, inbox) = Api::start_with_mail(&[("LIMIT_ADDRESS", "3/1h")]).await;
    api.registered(EMAIL).await;
    let reset = api.reset_requested(&inbox, EMAIL).await;
    let made_up = json!({"purpose": "verify_email", "token": "A".repeat(43)});
    let mut thief = api.client_from("203.0.113.7");
    for _ in 0..3 {
        thief.post_json("/api/auth/mail/confirm", &made_up).await.assert_rejected(400, "link_invalid");
    }
    let limited = thief.post_json("/api/auth/password-reset/confirm", &reset.by_code(NEW)).await;
    limited.assert_rejected(429, "too_many_attempts");
    assert_eq!(thief.login(EMAIL, PASSWORD).await.status, 200, "logins are counted apart");
    let mut other = api.client_from("198.51.100.7");
    let done = other.post_json("/api/auth/password-reset/confirm", &reset.by_code(NEW)).await;
    assert_eq!(done.status, 200, "{done}");
}

#[tokio::test]
async fn without_a_mail_server_nothing_of_it_is_offered() {
    let api = Api::start().await;
    let mut client = api.registered(EMAIL).await;
    let proof = json!({"token": "A".repeat(43), "password": NEW});
    request_reset(&mut client, EMAIL).await.assert_rejected(404, "not_found");
    confirm(&api, &proof).await.assert_rejected(404, "not_found");
    client.post("/api/auth/email/verification").await.assert_rejected(404, "not_found");
    let change = json!({"email": "new@example.com", "password": PASSWORD});
    client.post_json("/api/auth/email", &change).await.assert_rejected(404, "not_found");
    for page in ["/auth/forgot-password", "/auth/reset-password?token=x", "/auth/mail/verify_email?token=x"] {
        assert_eq!(client.get(page).await.status, 404, "{page}");
    }
    for page in ["/auth/sign-in", "/auth/account"] {
        let text = client.get(page).await.text;
        assert!(!text.contains("forgot-password") && !text.contains("email-address"), "{page}");
    }
    assert_eq!(api.outbox().await, (0, 0));
}
