//! Refresh tokens that are presented again: by a late tab, by a client that never received the response, by a thief.

use edgeward_companion::clock::Clock as _;
use edgeward_companion::db::connection::Connection;
use edgeward_companion::db::sessions::refresh;
use edgeward_companion::domain::session::{RefreshRejection, Session, Step};
use edgeward_companion::domain::token::refresh_token::{RefreshClaims, RefreshTokens};
use edgeward_kit::api::{Api, REFRESH_SECRET};
use edgeward_kit::client::{Client, Response};
use edgeward_kit::database;
use insta::assert_snapshot;
use reqwest::Method;
use reqwest::header::{COOKIE, USER_AGENT};
use serde_json::json;
use time::Duration;

async fn refresh_twice(client: &mut Client) {
    for _ in 0..2 {
        assert_eq!(client.refresh().await.status, 200);
    }
}

/// Returns the claims of a client's refresh token.
fn token(client: &Client) -> RefreshClaims {
    let mint = RefreshTokens::new("edgeward".to_owned(), Duration::days(30), &[REFRESH_SECRET.into()]);
    mint.expect("a secret").verify(&client.cookies["refresh_token"]).expect("a token of ours")
}

#[tokio::test]
async fn client_that_lost_the_response_gets_the_same_successor() {
    for away in [Duration::ZERO, Duration::seconds(9), Duration::hours(5), Duration::days(20)] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        let before = ada.clone();
        assert_eq!(ada.refresh().await.status, 200);
        api.clock.advance(away);
        let mut again = before.clone();
        for _ in 0..3 {
            again.cookies.clone_from(&before.cookies);
            assert_eq!(again.refresh().await.status, 200);
            assert_eq!(token(&again).generation, 2);
        }
        assert_eq!(again.cookies == ada.cookies, away == Duration::ZERO, "{away}");
        api.clock.advance(Duration::days(29));
        assert_eq!(again.refresh().await.status, 200, "{away}");
        assert_eq!(token(&again).generation, 3);
    }
}

#[tokio::test]
async fn older_token_within_the_grace_period_gets_the_live_one() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut late = ada.clone();
    for _ in 0..3 {
        assert_eq!(ada.refresh().await.status, 200);
    }
    api.clock.advance(Duration::seconds(9));
    assert_eq!(late.refresh().await.status, 200);
    assert_eq!(token(&late).generation, 4);
    assert_eq!(ada.refresh().await.status, 200);
    assert!(api.revoked_sessions().await.is_empty());
}

#[tokio::test]
async fn stolen_token_ends_the_session_here_and_at_the_edge() {
    // With and without a refresh by the owner just before: its grace period must not cover the thief's token.
    for again in [false, true] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        let mut thief = ada.clone();
        refresh_twice(&mut ada).await;
        api.clock.advance(Duration::seconds(10));
        if again {
            assert_eq!(ada.refresh().await.status, 200);
        }
        thief.refresh().await.assert_rejected(401, "not_signed_in");
        assert_eq!(api.revoked_sessions().await, [token(&ada).session_id.0]);
        ada.get("/api/auth/self").await.assert_rejected(401, "not_signed_in");
        ada.refresh().await.assert_rejected(401, "not_signed_in");
        // The reuse is detected once.
        thief.refresh().await.assert_rejected(401, "not_signed_in");
        assert_eq!(api.revoked_sessions().await.len(), 1);
    }
}

#[tokio::test]
async fn grace_period_is_a_setting() {
    let api = Api::start_with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let mut ada = api.registered("ada@example.com").await;
    let mut thief = ada.clone();
    refresh_twice(&mut ada).await;
    assert_eq!(thief.refresh().await.status, 401);
    assert_eq!(ada.refresh().await.status, 401);
}

#[tokio::test]
async fn refresh_lost_by_the_database_logs_nobody_out() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut late = ada.clone();
    for _ in 0..3 {
        assert_eq!(ada.refresh().await.status, 200);
    }
    api.lose_refreshes().await;
    let next = async |client: &mut Client| {
        assert_eq!(client.refresh().await.status, 200);
        token(client).generation
    };
    assert_eq!(next(&mut ada).await, 5);
    assert_eq!(next(&mut late).await, 5);
    assert_eq!(next(&mut ada).await, 6);
    assert_eq!(api.revoked_sessions().await.len(), 0);
}

#[tokio::test]
async fn clock_set_back_logs_nobody_out_and_logouts_still_work() {
    for behind in [Duration::milliseconds(100), Duration::seconds(7), Duration::hours(3)] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        let mut late = ada.clone();
        for _ in 0..2 {
            api.clock.advance(-behind);
            assert_eq!(ada.refresh().await.status, 200, "{behind}");
            assert_eq!(ada.get("/api/auth/self").await.status, 200, "{behind}");
            assert_eq!(ada.get("/api/auth/sessions").await.status, 200, "{behind}");
        }
        assert_eq!(late.refresh().await.status, 200, "{behind}");
        assert_eq!(token(&late), token(&ada));
        assert!(token(&ada).issued_at <= api.clock.now().unix_timestamp());
        let before = ada.clone();
        assert_eq!(ada.logout().await.status, 200);
        assert_eq!(before.clone().refresh().await.status, 401, "{behind}");
        assert_eq!(api.revoked_sessions().await, [token(&before).session_id.0]);
    }
}

#[tokio::test]
async fn thief_who_refreshes_without_a_pause_is_detected_too() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut thief = ada.clone();
    // More than are stored, in each grace period.
    for _ in 0..30 {
        for _ in 0..20 {
            assert_eq!(thief.refresh().await.status, 200);
        }
        api.clock.advance(Duration::SECOND);
    }
    ada.refresh().await.assert_rejected(401, "not_signed_in");
    assert_eq!(api.revoked_sessions().await, [token(&ada).session_id.0]);
    assert_eq!(thief.refresh().await.status, 401);
}

// holds: invariant 10, promise 10
#[tokio::test]
async fn rejected_refresh_keeps_the_cookies() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut copy = ada.clone();
    ada.logout().await;
    copy.refresh().await.assert_rejected(401, "not_signed_in");
    assert_eq!(copy.cookies.len(), 2);
}

/// The rotation of the live token is also written in SQL. It has the effect that the state machine decides, or none.
#[tokio::test]
async fn rotation_in_sql_agrees_with_the_state_machine() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let (now, presented) = (api.clock.now(), RefreshClaims { generation: 3, ..token(&ada) });
    let lifetimes = api.state.tokens.lifetimes;
    let mut connection = database::open(&api.database.url).await;
    let mut steps = Vec::new();
    let mut rotations = 0;
    for ages in [
        "",
        "0",
        "0,4.999999",
        "4.999999,5",
        "5,9.999999",
        "9.999999,10",
        "10",
        "10.000001,11",
        "0,3600",
        "0,1,2,3,4,5,6,7,8,9,9,9,9,9,9,9",
        "0,1,2,3,4,5,6,7,8,9,9,9,9,9,9,10",
        "6,6,6,6,6,6,6,6,6,6,6,6,6,6,6,6",
        "-0.5,3",
        "-5,-5,-5",
        "-5.000001,-5,12",
        "-10,-3,4",
        "-10.000001,-3,4,10",
        "-7,-7,-7,-7,-7,-7,-7,-7,-7,-7,-7,-7,-7,-7,-7,-7",
        "-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,-3600,5",
    ] {
        for generation in [1, 2, 3, 4, 5, 6, 18, 20] {
            for (user, created, expires) in [
                ("disabled_at = null", "3 hours", "1 hour"),
                ("disabled_at = now()", "3 hours", "1 hour"),
                ("disabled_at = null", "3 hours", "1 microsecond"),
                ("disabled_at = null", "3 hours", "0"),
                ("disabled_at = null", "179 days", "1 hour"),
                ("disabled_at = null", "180 days", "1 hour"),
                ("disabled_at = null", "-0.5 seconds", "1 hour"),
                ("disabled_at = null", "-1 second", "1 hour"),
            ] {
                let arrange = format!(
                    "with ages as (select array(
                         select $1::timestamptz - age * interval '1 second' from unnest('{{{ages}}}'::float[]) age) all_)
                     update refresh_tokens
                     set generation = {generation}, superseded = all_, updated_at = coalesce(all_[1], $1),
                         created_at = $1 - interval '{created}', expires_at = $1 + interval '{expires}'
                     from ages"
                );
                let arrange = sqlx::query(sqlx::AssertSqlSafe(arrange)).bind(now);
                assert_eq!(arrange.execute(&mut connection).await.expect("an update").rows_affected(), 1);
                let user = sqlx::query(sqlx::AssertSqlSafe(format!("update users set {user}")));
                user.execute(&mut connection).await.expect("an update");

                let before = read(&mut connection, presented).await;
                let decided = before.decide_refresh(presented, &lifetimes, now);
                let rotates_live = decided == Ok(Step::Rotate)
                    && before.generation == presented.generation
                    && before.superseded.first().is_none_or(|latest| *latest <= now)
                    && before.created_at <= now;
                let rotated = refresh::rotate_live(&mut connection, presented, &lifetimes, now).await;
                let after = read(&mut connection, presented).await;
                let expected = if rotates_live {
                    rotations += 1;
                    before.clone().apply(Step::Rotate, presented.generation, &lifetimes, now)
                } else {
                    before.clone()
                };
                assert_eq!(after, expected, "{before:?}");
                assert_eq!(rotated.expect("a statement"), rotates_live.then_some(expected), "{before:?}");

                // In every other case the state machine decides. Its decision is written once: at the second time, the
                // session has changed.
                if let Ok(step @ (Step::Rotate | Step::Renew)) = decided
                    && !rotates_live
                {
                    let next = before.clone().apply(step, presented.generation, &lifetimes, now);
                    for written in [Some(next.clone()), None] {
                        let outcome =
                            refresh::write(&mut connection, presented.session_id, &before, next.clone())
                                .await;
                        assert_eq!(outcome.expect("a statement"), written, "{before:?}");
                        assert_eq!(read(&mut connection, presented).await, next, "{before:?}");
                    }
                }
                steps.push(decided);
            }
        }
    }
    assert!(rotations > 0, "no live token was rotated");
    for step in [Step::Rotate, Step::Renew, Step::Repeat] {
        assert!(steps.contains(&Ok(step)), "{step:?}");
    }
    for rejection in [
        RefreshRejection::TokenTooOld,
        RefreshRejection::UserDisabled,
        RefreshRejection::SessionExpired,
        RefreshRejection::TokenReused,
    ] {
        assert!(steps.contains(&Err(rejection)), "{rejection:?}");
    }
}

/// Reads the session from the database.
async fn read(connection: &mut Connection, presented: RefreshClaims) -> Session {
    refresh::read(connection, presented.session_id).await.expect("a statement").expect("a session")
}

async fn edge_refresh(api: &Api, client: &Client) -> Response {
    let mut edge = api.internal();
    let mut request = edge.request(Method::POST, "/internal/edge-refresh");
    for (name, value) in &client.cookies {
        request = request.header(COOKIE, format!("{name}={value}"));
    }
    edge.send(request.header(USER_AGENT, "Envoy")).await
}

#[tokio::test]
async fn edge_refresh_has_the_same_result_as_one_by_the_browser() {
    for prefix in ["", "__Host-"] {
        let api = Api::start_with(&[("COOKIE_PREFIX", prefix)]).await;
        let mut ada = api.registered("ada@example.com").await;
        let response = edge_refresh(&api, &ada).await;
        if prefix.is_empty() {
            assert_snapshot!(response, @r#"
            200 OK
            cache-control: no-store
            content-type: application/json

            {
              "access_token": "[token]",
              "set_cookies": [
                "access_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600",
                "refresh_token=[token]; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000"
              ]
            }
            "#);
        }
        assert!(response.set_cookies().is_empty(), "the cookies are for the browser, not for the filter");
        let cookies = response.body["set_cookies"].as_array().expect("cookies");
        let same = ada.refresh().await;
        assert_eq!(json!(same.set_cookies()), json!(cookies), "the same successor for both");
        assert_eq!(response.body["access_token"], json!(ada.cookies[&format!("{prefix}access_token")]));
        assert_eq!(ada.get("/api/auth/self").await.status, 200);
    }
}

#[tokio::test]
async fn edge_refresh_distinguishes_an_ended_session_from_an_unknown_state() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let before = ada.clone();
    edge_refresh(&api, &api.client()).await.assert_rejected(401, "not_signed_in");
    ada.logout().await;
    edge_refresh(&api, &before).await.assert_rejected(401, "not_signed_in");
    api.state.db.close().await;
    edge_refresh(&api, &before).await.assert_rejected(503, "database_unavailable");
}

#[tokio::test]
async fn the_public_listener_has_no_edge_refresh() {
    let api = Api::start().await;
    let mut client = api.client();
    for path in ["/internal/edge-refresh", "/api/internal/edge-refresh"] {
        client.post(path).await.assert_rejected(404, "not_found");
    }
}
