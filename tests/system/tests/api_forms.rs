//! Forms of the pages: they do what the API does, and only if our own page sent them.

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};

const ADA: &str = "ada@example.com";
const WRONG: &str = "not the password";
const NEW: &str = "another horse battery";

/// Form: its page, its address and its fields.
type Form<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

const SIGN_IN: Form<'_> = ("/auth/sign-in", "/auth/sign-in", &[("email", ADA), ("password", PASSWORD)]);
const REGISTER: Form<'_> = (
    "/auth/register",
    "/auth/register",
    &[("firstName", "Bob"), ("lastName", "B"), ("email", "bob@example.com"), ("password", PASSWORD)],
);
const RENAME: Form<'_> =
    ("/auth/account", "/auth/account/name", &[("firstName", "Eve"), ("lastName", "Lovelace")]);
const CHANGE_PASSWORD: Form<'_> =
    ("/auth/account", "/auth/account/password", &[("currentPassword", PASSWORD), ("password", NEW)]);
const END_OTHERS: Form<'_> = ("/auth/account", "/auth/account/sessions", &[("id", "others")]);
const MAKE_ADMIN: Form<'_> =
    ("/auth/admin/users/2", "/auth/admin/users/2", &[("change", "role"), ("role", "admin")]);
const OF_USERS: [Form<'_>; 4] = [RENAME, CHANGE_PASSWORD, END_OTHERS, MAKE_ADMIN];

/// Sends a form with a token, or without one.
async fn send(client: &mut Client, (_, path, fields): Form<'_>, token: Option<&str>) -> Response {
    let token = token.map(|token| ("form_token", token));
    let fields: Vec<_> = token.into_iter().chain(fields.iter().copied()).collect();
    let request = client.form(path, &fields);
    client.send(request).await
}

/// Opens the page of a form, and sends it.
async fn submit(client: &mut Client, (page, path, fields): Form<'_>) -> Response {
    client.submit(page, path, fields).await
}

/// Starts an API with Ada, an administrator, who has two sessions, and Carol, user 2.
async fn start() -> (Api, Client) {
    let api = Api::start().await;
    let ada = api.admin(ADA).await;
    api.registered("carol@example.com").await;
    (api, ada)
}

/// Fails unless everything is as after [`start`].
async fn assert_unchanged(api: &Api, ada: &mut Client) {
    assert_eq!(api.count_users().await, 2);
    assert_eq!(api.count_sessions().await, 3);
    let user = ada.get("/api/auth/self").await.body["user"].clone();
    assert_eq!((&user["firstName"], &user["role"]), (&"Ada".into(), &"admin".into()));
    assert_eq!(ada.get("/api/admin/users/2").await.body["user"]["role"], "customer");
}

/// Returns the newest entry of the audit log: event and actor.
async fn last_event(admin: &mut Client) -> String {
    let entry = admin.get("/api/admin/audit?limit=1").await.body["entries"][0].clone();
    format!("{} by {}", entry["event"].as_str().unwrap_or("?"), entry["actor"].as_str().unwrap_or("?"))
}

#[tokio::test]
async fn forms_do_what_the_api_does() {
    let (api, mut ada) = start().await;
    assert_eq!(submit(&mut ada, RENAME).await.header("location"), "/auth/account?done=name");
    assert_eq!(ada.get("/api/auth/self").await.body["user"]["firstName"], "Eve");
    assert_eq!(last_event(&mut ada).await, "name_changed by user");
    assert_eq!(submit(&mut ada, MAKE_ADMIN).await.status, 303);
    assert_eq!(last_event(&mut ada).await, "role_changed by admin");
    assert_eq!(ada.get("/api/admin/users/2").await.body["user"]["role"], "admin");
    assert_eq!(submit(&mut ada, END_OTHERS).await.status, 303);
    assert_eq!(api.count_sessions().await, 2, "Ada's and Carol's");
    assert_eq!(submit(&mut ada, CHANGE_PASSWORD).await.status, 303);
    assert_eq!(last_event(&mut ada).await, "password_changed by user");
    api.client().login(ADA, PASSWORD).await.assert_rejected(401, "credentials_wrong");
    assert_eq!(api.client().login(ADA, NEW).await.status, 200);
    let mut bob = api.client();
    assert_eq!(submit(&mut bob, REGISTER).await.status, 303);
    assert_eq!(bob.get("/api/auth/self").await.body["user"]["firstName"], "Bob");
    let left = submit(&mut bob, ("/auth/sign-out", "/auth/sign-out", &[])).await;
    assert_eq!((left.status, left.header("location")), (303, "/auth/signed-out"));
    assert!(left.header("clear-site-data").contains("\"cache\""), "{left}");
    assert!(!bob.cookies.contains_key("access_token") && !bob.cookies.contains_key("refresh_token"));
    assert_eq!(bob.get("/auth/account").await.status, 303, "signed out");
}

#[tokio::test]
async fn form_without_the_token_of_its_page_changes_nothing() {
    let (api, mut ada) = start().await;
    // Tokens that are right for somebody: another browser, and another session of this one.
    let foreign = api.client().get("/auth/sign-in").await.form_token();
    let mut laptop = api.logged_in(ADA).await;
    let of_another_session = laptop.get("/auth/account").await.form_token();
    assert_eq!(laptop.logout().await.status, 200);
    for form in [SIGN_IN, REGISTER] {
        let mut visitor = api.client();
        visitor.get(form.0).await;
        for token in [None, Some(""), Some("x"), Some(foreign.as_str()), Some(of_another_session.as_str())] {
            let response = send(&mut visitor, form, token).await;
            assert_eq!(response.status, 403, "{} {token:?} {response}", form.1);
            assert!(!visitor.cookies.contains_key("access_token"), "{}", form.1);
        }
        let mut without_key = api.client();
        let token = without_key.get(form.0).await.form_token();
        without_key.cookies.clear();
        assert_eq!(send(&mut without_key, form, Some(&token)).await.status, 403, "{}", form.1);
    }
    let of_nobody = ada.get("/auth/sign-in").await.form_token();
    for form in OF_USERS {
        for token in [None, Some("x"), Some(&*foreign), Some(&*of_another_session), Some(&*of_nobody)] {
            let response = send(&mut ada, form, token).await;
            assert_eq!(response.status, 403, "{} {token:?} {response}", form.1);
        }
    }
    assert_unchanged(&api, &mut ada).await;
}

// holds: promise 5
#[tokio::test]
async fn form_of_another_site_is_rejected_whatever_token_it_has() {
    let (api, mut ada) = start().await;
    let sign_out: Form<'_> = ("/auth/sign-out", "/auth/sign-out", &[]);
    for site in ["cross-site", "same-site"] {
        for form in OF_USERS.into_iter().chain([sign_out]) {
            let token = ada.get(form.0).await.form_token();
            let fields = [&[("form_token", token.as_str())], form.2].concat();
            let request = ada.form(form.1, &fields).header("sec-fetch-site", site);
            assert_eq!(ada.send(request).await.status, 403, "{site} {}", form.1);
        }
        for form in [SIGN_IN, REGISTER] {
            let mut visitor = api.client();
            let token = visitor.get(form.0).await.form_token();
            let fields = [&[("form_token", token.as_str())], form.2].concat();
            let request = visitor.form(form.1, &fields).header("sec-fetch-site", site);
            assert_eq!(visitor.send(request).await.status, 403, "{site} {}", form.1);
            assert!(!visitor.cookies.contains_key("access_token"));
        }
    }
    assert_unchanged(&api, &mut ada).await;
}

#[tokio::test]
async fn mistakes_come_back_with_what_was_typed_but_for_passwords() {
    let (api, mut ada) = start().await;
    let mut visitor = api.client();
    let wrong: Form<'_> = ("/auth/sign-in", "/auth/sign-in", &[("email", ADA), ("password", WRONG)]);
    let shown = submit(&mut visitor, wrong).await;
    assert_eq!(shown.status, 401, "{shown}");
    assert!(shown.text.contains(ADA) && shown.text.contains("role=\"alert\""), "{shown}");
    assert!(!shown.text.contains(WRONG), "{shown}");
    let taken: Form<'_> = ("/auth/register", "/auth/register", &[("email", ADA), ("password", "short")]);
    let shown = submit(&mut visitor, taken).await;
    assert_eq!(shown.status, 400, "{shown}");
    assert!(shown.text.contains("aria-invalid=\"true\"") && shown.text.contains(ADA), "{shown}");
    let weak: Form<'_> =
        ("/auth/account", "/auth/account/password", &[("currentPassword", WRONG), ("password", NEW)]);
    let shown = submit(&mut ada, weak).await;
    assert_eq!(shown.status, 401, "{shown}");
    assert!(!shown.text.contains(WRONG) && !shown.text.contains(NEW), "{shown}");
    assert_unchanged(&api, &mut ada).await;
}

#[tokio::test]
async fn form_has_the_content_type_and_the_limits_of_a_form() {
    let (api, _) = start().await;
    let mut visitor = api.client();
    let json =
        visitor.post_json("/auth/sign-in", &serde_json::json!({"email": ADA, "password": PASSWORD})).await;
    assert_eq!(json.status, 415, "{json}");
    let long = "x".repeat(65 * 1024);
    let request = visitor.form("/auth/sign-in", &[("email", &long)]);
    assert_eq!(visitor.send(request).await.status, 413);
}

#[tokio::test]
async fn forms_share_the_limits_and_the_devices_of_the_api() {
    let api = Api::start_with(&[("LIMIT_ACCOUNT", "3/1h")]).await;
    api.registered(ADA).await;
    let mut browser = api.client();
    assert_eq!(submit(&mut browser, SIGN_IN).await.status, 303);
    let wrong: Form<'_> = ("/auth/sign-in", "/auth/sign-in", &[("email", ADA), ("password", WRONG)]);
    let mut stranger = api.client();
    for _ in 0..3 {
        assert_eq!(submit(&mut stranger, wrong).await.status, 401);
    }
    let rejected = submit(&mut stranger, SIGN_IN).await;
    assert_eq!(rejected.status, 429, "{rejected}");
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 429, "the API has the same bucket");
    assert_eq!(submit(&mut browser, SIGN_IN).await.status, 303, "the browser is known");
    assert_eq!(browser.login(ADA, PASSWORD).await.status, 200, "to the API too");
}

#[tokio::test]
async fn guesses_at_a_changed_password_take_none_from_the_logins() {
    let api = Api::start_with(&[("LIMIT_ACCOUNT", "3/1h")]).await;
    let mut ada = api.registered(ADA).await;
    let wrong: Form<'_> =
        ("/auth/account", "/auth/account/password", &[("currentPassword", WRONG), ("password", NEW)]);
    for _ in 0..3 {
        assert_eq!(submit(&mut ada, wrong).await.status, 401);
    }
    let rejected = submit(&mut ada, CHANGE_PASSWORD).await;
    assert_eq!(rejected.status, 429, "{rejected}");
    assert!(!rejected.header("retry-after").is_empty(), "{rejected}");
    assert_eq!(submit(&mut ada, SIGN_IN).await.status, 303, "the same browser signs in");
    assert_eq!(submit(&mut ada, CHANGE_PASSWORD).await.status, 303, "another session has guesses of its own");
}

#[tokio::test]
async fn weak_new_password_is_no_guess_at_the_current_one() {
    let api = Api::start_with(&[("LIMIT_ACCOUNT", "3/1h")]).await;
    let mut ada = api.registered(ADA).await;
    let weak: Form<'_> = (
        "/auth/account",
        "/auth/account/password",
        &[("currentPassword", PASSWORD), ("password", "password1")],
    );
    for _ in 0..5 {
        assert_eq!(submit(&mut ada, weak).await.status, 400);
    }
    assert_eq!(submit(&mut ada, CHANGE_PASSWORD).await.status, 303);
}

#[tokio::test]
async fn form_key_that_another_host_has_planted_keeps_nobody_out() {
    let api = Api::start().await;
    api.registered(ADA).await;
    let mut browser = api.client();
    let token = browser.get("/auth/sign-in").await.form_token();
    let ours = browser.cookies.remove("edgeward_form_key").unwrap();
    let fields = [&[("form_token", token.as_str())], SIGN_IN.2].concat();
    let planted = format!("edgeward_form_key=AAAAAAAAAAAAAAAAAAAAAA; edgeward_form_key={ours}");
    let request = browser.form(SIGN_IN.1, &fields).header("cookie", planted);
    assert_eq!(browser.send(request).await.status, 303);
}

#[tokio::test]
async fn page_that_sets_a_form_key_sets_renewed_tokens_too() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    ada.cookies.remove("access_token").unwrap();
    assert_eq!(ada.get("/auth/account").await.status, 200);
    assert!(ada.cookies.contains_key("edgeward_form_key") && ada.cookies.contains_key("access_token"));
}

#[tokio::test]
async fn account_page_signs_out_where_no_page_signs_in() {
    let api = Api::start_with(&[("PAGES_OFF", "sign-in")]).await;
    let mut ada = api.registered(ADA).await;
    let asked = ada.get("/auth/signed-out").await;
    assert!(asked.text.contains("Do you want to sign out?"), "{asked}");
    let token = asked.form_token();
    let request = ada.form("/auth/sign-out", &[("form_token", &token)]);
    assert_eq!(ada.send(request).await.status, 303);
    let shown = ada.get("/auth/signed-out").await;
    assert_eq!(shown.status, 200);
    assert!(!shown.text.contains("/auth/sign-in"), "{shown}");
}
