//! Last authentication of a session: what tokens tell of it, what moves it, and the calls that demand a recent one.

use edgeward_companion::clock::Clock as _;
use edgeward_companion::domain::token::refresh_token::RefreshClaims;
use edgeward_companion::domain::{SessionId, UserId};
use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};
use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;
use time::Duration;

const ADA: &str = "ada@example.com";
const WRONG: &str = "not the password";
/// A minute more than the default of `AUTHENTICATION_MAX_AGE_SECONDS`.
const LONG: Duration = Duration::minutes(24 * 60 + 1);

async fn confirm(client: &mut Client, password: &str) -> Response {
    client.post_json("/api/auth/confirm", &json!({"password": password})).await
}

/// Returns the age of the authentication in the access token, in seconds, and its methods.
fn authentication(api: &Api, client: &Client) -> (i64, String) {
    let claims = client.claims();
    let age = api.clock.now().unix_timestamp() - claims.auth_time.expect("auth_time");
    (age, claims.amr.expect("amr").join(" "))
}

#[tokio::test]
async fn tokens_tell_of_the_authentication_and_have_the_claims_of_rfc_9068() {
    let api = Api::start().await;
    let ada = api.registered(ADA).await;
    assert_eq!(authentication(&api, &ada), (0, "pwd".to_owned()));
    let claims = ada.claims();
    assert_eq!(claims.client_id.as_deref(), Some("edgeward"));
    assert_eq!(claims.jti.map(|id| id.len()), Some(16));
    let mut bob = api.logged_in(ADA).await;
    assert_eq!(authentication(&api, &bob), (0, "pwd".to_owned()));
    let before = bob.claims().jti;
    api.clock.advance(Duration::SECOND);
    bob.refresh().await;
    assert_ne!(bob.claims().jti, before, "another token has another ID");
}

// holds: promise 14
#[tokio::test]
async fn every_refresh_keeps_the_authentication() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    let mut late = ada.clone();
    api.clock.advance(Duration::hours(1));
    assert_eq!(ada.refresh().await.status, 200);
    assert_eq!(authentication(&api, &ada), (3600, "pwd".to_owned()));
    // Another tab presents the token of before, whose session was refreshed long ago.
    api.clock.advance(Duration::minutes(10));
    assert_eq!(late.refresh().await.status, 200);
    assert_eq!(authentication(&api, &late), (4200, "pwd".to_owned()));
    // A call of the API, and the gateway.
    late.cookies.remove("access_token");
    api.clock.advance(Duration::hours(1));
    assert_eq!(late.get("/api/auth/self").await.status, 200);
    assert_eq!(authentication(&api, &late), (7800, "pwd".to_owned()));
    api.set_role(ADA, "support").await;
    api.clock.advance(Duration::SECOND);
    assert_eq!(late.refresh().await.status, 200);
    assert_eq!(authentication(&api, &late), (7801, "pwd".to_owned()));
}

// holds: promise 14
#[tokio::test]
async fn confirmation_moves_the_authentication_and_nothing_else_does() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    let phone = api.logged_in(ADA).await;
    api.clock.advance(Duration::hours(1));
    confirm(&mut ada, WRONG).await.assert_rejected(401, "credentials_wrong");
    ada.refresh().await;
    assert_eq!(authentication(&api, &ada), (3600, "pwd".to_owned()));
    let refresh_token = ada.cookies["refresh_token"].clone();
    assert_snapshot!(confirm(&mut ada, PASSWORD).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    set-cookie: access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600

    {"message": "User confirmed successfully", "userId": 1}
    "#);
    assert_eq!(authentication(&api, &ada), (0, "pwd".to_owned()));
    assert_eq!(ada.cookies["refresh_token"], refresh_token);
    api.clock.advance(Duration::minutes(5));
    ada.refresh().await;
    assert_eq!(authentication(&api, &ada), (300, "pwd".to_owned()));
    let mut phone = phone.clone();
    phone.refresh().await;
    assert_eq!(authentication(&api, &phone), (3900, "pwd".to_owned()), "another session has its own");
}

#[tokio::test]
async fn request_that_crosses_with_a_confirmation_ends_no_session() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    let first = ada.clone();
    ada.refresh().await;
    api.clock.advance(Duration::minutes(30));
    // This tab has the access token of now and the refresh token of before: it has lost a response.
    let mut tab = first.clone();
    tab.cookies.insert("access_token".to_owned(), ada.cookies["access_token"].clone());
    let mut crossing = tab.clone();
    assert_eq!(confirm(&mut tab, PASSWORD).await.status, 200);
    assert_eq!(tab.refresh().await.status, 200, "it has the token of before still");
    assert_eq!(crossing.refresh().await.status, 200, "and so has another");
    assert_eq!(tab.refresh().await.status, 200);
    assert_eq!(authentication(&api, &tab).0, 0);
}

#[tokio::test]
async fn session_of_a_former_companion_was_authenticated_at_its_start() {
    let api = Api::start().await;
    api.registered(ADA).await;
    let issued_at = api.clock.now().unix_timestamp();
    let session_id = SessionId(api.insert_session_of_former_release(1).await);
    let claims = RefreshClaims { user_id: UserId(1), session_id, generation: 1, issued_at };
    let mut ada = api.client();
    let token = api.state.tokens.refresh.sign(claims).expect("a token");
    ada.cookies.insert("refresh_token".to_owned(), token);
    api.clock.advance(Duration::minutes(7));
    for _ in 0..2 {
        assert_eq!(ada.refresh().await.status, 200);
        assert_eq!(authentication(&api, &ada), (420, "pwd".to_owned()));
    }
    assert_eq!(confirm(&mut ada, PASSWORD).await.status, 200);
    assert_eq!(authentication(&api, &ada).0, 0);
}

#[tokio::test]
async fn confirmations_have_limits_of_their_own_and_are_recorded() {
    let api = Api::start().await;
    let mut admin = api.admin(ADA).await;
    for _ in 0..20 {
        confirm(&mut admin, WRONG).await.assert_rejected(401, "credentials_wrong");
    }
    assert_eq!(confirm(&mut admin, PASSWORD).await.status, 429);
    assert_eq!(api.client().login(ADA, PASSWORD).await.status, 200, "logins have others");
    api.clock.advance(Duration::minutes(1));
    assert_eq!(confirm(&mut admin, PASSWORD).await.status, 200);
    let entry = admin.get("/api/admin/audit?event=reauthenticated").await.body["entries"][0].clone();
    assert_eq!((&entry["actor"], &entry["details"]), (&json!("user"), &json!({"methods": ["pwd"]})));
}

#[tokio::test]
async fn confirmation_needs_a_session_and_a_password() {
    let api = Api::start().await;
    confirm(&mut api.client(), PASSWORD).await.assert_rejected(401, "not_signed_in");
    let mut ada = api.registered(ADA).await;
    let empty = ada.post_json("/api/auth/confirm", &json!({})).await;
    assert_eq!(empty.invalid_fields(), ["password: required"]);
    let before = ada.clone();
    ada.logout().await;
    confirm(&mut before.clone(), PASSWORD).await.assert_rejected(401, "not_signed_in");
}

/// Calls that demand a recent authentication, with the status that they have then.
const SENSITIVE: [(Method, &str, u16); 5] = [
    (Method::GET, "/api/admin/users", 200),
    (Method::GET, "/api/admin/audit", 200),
    (Method::DELETE, "/api/admin/users/99", 404),
    (Method::DELETE, "/api/auth/sessions", 200),
    (Method::POST, "/api/auth/logout-all", 200),
];

#[tokio::test]
async fn sensitive_calls_demand_a_recent_authentication() {
    let api = Api::start().await;
    let mut admin = api.admin(ADA).await;
    api.clock.advance(LONG);
    admin.refresh().await;
    for (method, path, _) in SENSITIVE {
        let response = admin.call(method, path, &[]).await;
        response.assert_rejected(401, "insufficient_user_authentication");
        let expected = r#"Bearer error="insufficient_user_authentication", max_age="86400""#;
        assert_eq!(response.header("www-authenticate"), expected, "{path}");
    }
    for path in ["/api/auth/self", "/api/auth/sessions"] {
        assert_eq!(admin.get(path).await.status, 200, "{path}");
    }
    let old = admin.clone();
    assert_eq!(confirm(&mut admin, PASSWORD).await.status, 200);
    for (method, path, status) in SENSITIVE {
        // A token from before is enough: the database knows of the proof.
        assert_eq!(old.clone().call(method, path, &[]).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn user_without_the_role_is_rejected_for_that() {
    let api = Api::start_with(&[("AUTHENTICATION_MAX_AGE_SECONDS", "60")]).await;
    let mut ada = api.registered(ADA).await;
    ada.get("/api/admin/users").await.assert_rejected(403, "not_allowed");
    api.clock.advance(Duration::seconds(61));
    ada.get("/api/admin/users").await.assert_rejected(403, "not_allowed");
    ada.post("/api/auth/logout-all").await.assert_rejected(401, "insufficient_user_authentication");
}

#[tokio::test]
async fn pages_lead_to_a_confirmation_and_back() {
    let api = Api::start().await;
    let mut admin = api.admin(ADA).await;
    api.clock.advance(LONG);
    let form = admin.get("/auth/account").await;
    assert_eq!(form.status, 200);
    let page = admin.get("/auth/admin/users?search=a").await;
    let confirmation = "/auth/confirm?return_to=%2Fauth%2Fadmin%2Fusers%3Fsearch%3Da";
    assert_eq!((page.status, page.header("location")), (303, confirmation));
    let fields = [("form_token", &*form.form_token()), ("id", "others")];
    let request = admin.form("/auth/account/sessions", &fields);
    let sent = admin.send(request).await;
    assert_eq!(sent.header("location"), "/auth/confirm?return_to=%2Fauth%2Faccount%2Fsessions");

    let wrong = admin.submit(confirmation, confirmation, &[("password", WRONG)]).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("This is not your current password."), "{wrong}");
    let confirmed = admin.submit(confirmation, confirmation, &[("password", PASSWORD)]).await;
    assert_eq!((confirmed.status, confirmed.header("location")), (303, "/auth/admin/users?search=a"));
    assert_eq!(authentication(&api, &admin).0, 0);
    assert_eq!(admin.get("/auth/admin/users?search=a").await.status, 200);
}

#[tokio::test]
async fn login_page_leads_to_a_confirmation_if_one_is_demanded() {
    let api = Api::start().await;
    let mut ada = api.registered(ADA).await;
    let to = async |client: &mut Client, path: &str| client.get(path).await.header("location").to_owned();
    let demanded = "/login?return_to=/billing/a%3Fb&max_age=300&acr_values=mfa";
    let confirmation = "/auth/confirm?return_to=/billing/a%3Fb&max_age=300&acr_values=mfa";
    assert_eq!(to(&mut ada, demanded).await, confirmation);
    assert!(ada.get(confirmation).await.text.contains("demands a second factor"));
    assert!(!ada.get("/auth/confirm?return_to=/x&max_age=1").await.text.contains("second factor"));
    // Who is not signed in proves it by that.
    assert_eq!(to(&mut api.client(), confirmation).await, "/auth/sign-in?return_to=%2Fbilling%2Fa%3Fb");
    let evil = "/auth/confirm?return_to=https://evil.example";
    let confirmed = ada.submit(evil, evil, &[("password", PASSWORD)]).await;
    assert_eq!(confirmed.header("location"), "/");
}
