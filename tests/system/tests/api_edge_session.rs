//! Session check of the edge: its response for each state of a session, and that it changes nothing.

use edgeward_companion::clock::Clock as _;
use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, Response};
use insta::assert_snapshot;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, COOKIE};
use time::Duration;

const PATH: &str = "/internal/edge-session";
const EMAIL: &str = "ada@example.com";

async fn check_token(api: &Api, token: &str) -> Response {
    let mut edge = api.internal();
    let request = edge.request(Method::POST, PATH).header(COOKIE, format!("refresh_token={token}"));
    edge.send(request).await
}

/// Checks the session of a client's refresh token.
async fn check(api: &Api, client: &Client) -> Response {
    check_token(api, &client.cookies["refresh_token"]).await
}

/// Returns the seconds for which a session continues.
async fn remaining(api: &Api, client: &Client) -> i64 {
    let response = check(api, client).await;
    assert_eq!(response.status, 200, "{response}");
    response.body["until"].as_i64().expect("a number") - api.clock.now().unix_timestamp()
}

#[tokio::test]
async fn session_continues_for_the_lifetime_of_an_access_token() {
    let api = Api::start().await;
    let mut ada = api.registered(EMAIL).await;
    assert_snapshot!(check(&api, &ada).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {"not_before": 0, "sid": 1, "until": 1893459600}
    "#);
    api.clock.advance(Duration::hours(5));
    assert_eq!(remaining(&api, &ada).await, 3600);
    assert_eq!(ada.refresh().await.status, 200);
    assert_eq!(remaining(&api, &ada).await, 3600);
}

// holds: promise 12
#[tokio::test]
async fn token_of_any_generation_is_valid_while_its_session_is_alive() {
    let api = Api::start().await;
    let mut ada = api.registered(EMAIL).await;
    let first = ada.clone();
    for _ in 0..3 {
        assert_eq!(ada.refresh().await.status, 200);
        api.clock.advance(Duration::hours(1));
    }
    for _ in 0..3 {
        assert_eq!(remaining(&api, &first).await, 3600);
    }
    assert_eq!(ada.refresh().await.status, 200, "a check does not count as a reuse");
    api.lose_refreshes().await;
    assert_eq!(remaining(&api, &ada).await, 3600, "a refresh lost by the database");
}

// holds: promise 12
#[tokio::test]
async fn check_changes_nothing_and_the_next_refresh_works() {
    let api = Api::start().await;
    let mut ada = api.registered(EMAIL).await;
    let first = ada.clone();
    assert_eq!(ada.refresh().await.status, 200);
    let (events, refreshed) = (count_events(&api).await, api.count_refreshed_sessions().await);
    let before = session(&api).await;
    for at in 0..50 {
        assert_eq!(check(&api, if at % 2 == 0 { &ada } else { &first }).await.status, 200);
        api.clock.advance(Duration::SECOND);
    }
    check_token(&api, "rubbish").await.assert_rejected(401, "not_signed_in");
    assert_eq!(session(&api).await, before);
    assert_eq!(count_events(&api).await, events);
    assert_eq!(api.count_refreshed_sessions().await, refreshed);
    assert_eq!(api.count_revocations().await, 0);
    assert_eq!(ada.refresh().await.status, 200);
}

/// Returns the whole row of the only session.
async fn session(api: &Api) -> String {
    let row = "select refresh_tokens::text from refresh_tokens";
    sqlx::query_scalar(row).fetch_one(&api.pool).await.expect("a session")
}

async fn count_events(api: &Api) -> i64 {
    sqlx::query_scalar("select count(*) from audit_log").fetch_one(&api.pool).await.expect("a count")
}

// holds: promise 12
#[tokio::test]
async fn session_ends_with_a_logout_or_a_disabled_user() {
    for end in ["logout", "logout-all", "disable", "mark disabled", "delete session"] {
        let api = Api::start().await;
        let mut ada = api.registered(EMAIL).await;
        let (before, other) = (ada.clone(), api.logged_in(EMAIL).await);
        match end {
            "logout" => assert_eq!(ada.logout().await.status, 200),
            "logout-all" => assert_eq!(ada.post("/api/auth/logout-all").await.status, 200),
            "disable" => api.disable(EMAIL).await,
            "mark disabled" => api.mark_disabled().await,
            _ => api.delete_sessions().await,
        }
        check(&api, &before).await.assert_rejected(401, "not_signed_in");
        let status = check(&api, &other).await.status;
        assert_eq!(status, if end == "logout" { 200 } else { 401 }, "{end}");
    }
}

#[tokio::test]
async fn session_continues_at_most_until_its_expiry() {
    let api = Api::start().await;
    let ada = api.registered(EMAIL).await;
    api.clock.advance(Duration::days(30) - Duration::minutes(10));
    assert_eq!(remaining(&api, &ada).await, 600);
    api.clock.advance(Duration::minutes(10) - Duration::SECOND);
    assert_eq!(remaining(&api, &ada).await, 1);
    api.clock.advance(Duration::SECOND);
    check(&api, &ada).await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn old_session_continues_at_most_until_its_maximum_lifetime() {
    let api = Api::start_with(&[("ACCESS_TTL_SECONDS", "86400")]).await;
    let mut ada = api.registered(EMAIL).await;
    for _ in 0..9 {
        api.clock.advance(Duration::days(10));
        assert_eq!(ada.refresh().await.status, 200);
    }
    let oldest = api.state.tokens.lifetimes.absolute;
    api.move_start_of_sessions(oldest - Duration::days(90) - Duration::minutes(7)).await;
    assert_eq!(remaining(&api, &ada).await, 7 * 60);
}

#[tokio::test]
async fn role_change_is_reported_and_the_session_continues() {
    let api = Api::start().await;
    let ada = api.registered(EMAIL).await;
    api.clock.advance(Duration::minutes(1));
    api.set_role(EMAIL, "admin").await;
    let response = check(&api, &ada).await;
    assert_eq!(response.status, 200, "{response}");
    let not_before = response.body["not_before"].as_i64().expect("a number");
    assert_eq!(not_before, api.clock.now().unix_timestamp() + 1);
    let revoked: i64 = sqlx::query_scalar("select extract(epoch from not_before)::bigint from revocations")
        .fetch_one(&api.pool)
        .await
        .expect("a revocation");
    assert_eq!(not_before, revoked, "the feed has the same time");
}

#[tokio::test]
async fn only_our_refresh_tokens_are_accepted() {
    let api = Api::start().await;
    let ada = api.registered(EMAIL).await;
    let access = &ada.cookies["access_token"];
    let forged = format!("{}x", ada.cookies["refresh_token"]);
    for token in ["", "rubbish", "a.b.c", access, &forged] {
        check_token(&api, token).await.assert_rejected(401, "not_signed_in");
    }
    api.internal().post(PATH).await.assert_rejected(401, "not_signed_in");
    let mut edge = api.internal();
    let twice = format!("refresh_token={}; refresh_token=x", ada.cookies["refresh_token"]);
    let request = edge.request(Method::POST, PATH).header(COOKIE, twice);
    edge.send(request).await.assert_rejected(401, "not_signed_in");
}

#[tokio::test]
async fn unknown_state_is_distinguished_from_an_ended_session() {
    let api = Api::start().await;
    let ada = api.registered(EMAIL).await;
    api.state.db.close().await;
    check(&api, &ada).await.assert_rejected(503, "database_unavailable");
}

#[tokio::test]
async fn check_requires_the_secret_of_the_edge_and_the_internal_port() {
    let secret = "a-secret-of-the-edge-that-is-long-enough";
    let api = Api::start_with(&[("FEED_SECRET", secret)]).await;
    let ada = api.registered(EMAIL).await;
    check(&api, &ada).await.assert_rejected(403, "not_allowed");
    let mut edge = api.internal();
    let request = edge.request(Method::POST, PATH).header(AUTHORIZATION, format!("Bearer {secret}"));
    let request = request.header(COOKIE, format!("refresh_token={}", ada.cookies["refresh_token"]));
    assert_eq!(edge.send(request).await.status, 200);
    assert_eq!(api.internal().get(PATH).await.status, 405);
    for path in [PATH, "/api/internal/edge-session"] {
        api.client().post(path).await.assert_rejected(404, "not_found");
    }
}
