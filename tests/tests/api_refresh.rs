//! What a refresh token is worth when it is presented again: by a tab that was late, by a client that never heard the
//! answer, by a thief.

use edgeward_companion::clock::Clock as _;
use edgeward_companion::db::sessions::refresh;
use edgeward_companion::domain::session::{RefreshRejection, Session, Step};
use edgeward_companion::domain::token::refresh_token::{RefreshClaims, RefreshTokens};
use edgeward_tests::api::{Answer, Api, Client, REFRESH_SECRET};
use reqwest::Method;
use reqwest::header::{COOKIE, USER_AGENT};
use serde_json::json;
use sqlx::PgConnection;
use time::Duration;

const NOT_SIGNED_IN: &str = "Not signed in";

async fn refresh(client: &mut Client) -> u16 {
    client.post("/api/auth/refresh").await.status
}

/// What a client's refresh token says.
fn token(client: &Client) -> RefreshClaims {
    let mint = RefreshTokens::new("edgeward".to_owned(), Duration::days(30), &[REFRESH_SECRET.into()]);
    mint.expect("a secret").verify(&client.cookies["refresh_token"]).expect("a token of ours")
}

/// The numbers of the sessions that were revoked at the edge.
async fn revoked(api: &Api) -> Vec<i64> {
    let all = sqlx::query_scalar::<_, i64>(
        "select session_id from revocations where session_id is not null order by id",
    );
    all.fetch_all(&api.pool).await.expect("revocations")
}

#[tokio::test]
async fn who_never_heard_the_answer_gets_the_same_one_again() {
    for away in [Duration::ZERO, Duration::seconds(9), Duration::hours(5), Duration::days(20)] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        let before = ada.clone();
        assert_eq!(refresh(&mut ada).await, 200);
        api.clock.advance(away);
        let mut again = before.clone();
        for _ in 0..3 {
            again.cookies.clone_from(&before.cookies);
            assert_eq!(refresh(&mut again).await, 200);
            assert_eq!(token(&again).generation, 2);
        }
        assert_eq!(again.cookies == ada.cookies, away == Duration::ZERO, "{away}");
        api.clock.advance(Duration::days(29));
        assert_eq!(refresh(&mut again).await, 200, "{away}");
        assert_eq!(token(&again).generation, 3);
    }
}

#[tokio::test]
async fn an_older_token_within_the_grace_gets_the_live_one() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut late = ada.clone();
    for _ in 0..3 {
        assert_eq!(refresh(&mut ada).await, 200);
    }
    api.clock.advance(Duration::seconds(9));
    assert_eq!(refresh(&mut late).await, 200);
    assert_eq!(token(&late).generation, 4);
    assert_eq!((refresh(&mut ada).await, revoked(&api).await.len()), (200, 0));
}

#[tokio::test]
async fn a_stolen_token_ends_the_session_for_both_here_and_at_the_edge() {
    // Whether the owner refreshes once more just before the thief comes, on whose grace the token must not ride.
    for again in [false, true] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        let mut thief = ada.clone();
        assert_eq!((refresh(&mut ada).await, refresh(&mut ada).await), (200, 200));
        api.clock.advance(Duration::seconds(10));
        if again {
            assert_eq!(refresh(&mut ada).await, 200);
        }
        thief.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
        assert_eq!(revoked(&api).await, [token(&ada).session_id.0]);
        ada.get("/api/auth/self").await.assert_refused(401, NOT_SIGNED_IN);
        ada.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
        // Neither its owner nor the thief is found out a second time.
        thief.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
        assert_eq!(revoked(&api).await.len(), 1);
    }
}

#[tokio::test]
async fn the_grace_is_a_setting() {
    let api = Api::start_with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let mut ada = api.registered("ada@example.com").await;
    let mut thief = ada.clone();
    assert_eq!((refresh(&mut ada).await, refresh(&mut ada).await), (200, 200));
    assert_eq!((refresh(&mut thief).await, refresh(&mut ada).await), (401, 401));
}

#[tokio::test]
async fn a_refresh_that_the_database_has_lost_logs_nobody_out() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut late = ada.clone();
    for _ in 0..3 {
        assert_eq!(refresh(&mut ada).await, 200);
    }
    // A standby has taken over that had not heard of it.
    let lost = "update refresh_tokens set generation = 1, superseded = '{}', updated_at = created_at";
    sqlx::query(lost).execute(&api.pool).await.expect("an update");
    assert_eq!((refresh(&mut ada).await, token(&ada).generation), (200, 5));
    assert_eq!((refresh(&mut late).await, token(&late).generation), (200, 5));
    assert_eq!((refresh(&mut ada).await, token(&ada).generation), (200, 6));
    assert_eq!(revoked(&api).await.len(), 0);
}

#[tokio::test]
async fn a_clock_that_is_behind_or_was_set_back_logs_nobody_out_and_a_logout_is_one() {
    for behind in [Duration::milliseconds(100), Duration::seconds(7), Duration::hours(3)] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        let mut late = ada.clone();
        for _ in 0..2 {
            api.clock.advance(-behind);
            assert_eq!(refresh(&mut ada).await, 200, "{behind}");
            assert_eq!(ada.get("/api/auth/self").await.status, 200, "{behind}");
            assert_eq!(ada.get("/api/auth/sessions").await.status, 200, "{behind}");
        }
        assert_eq!(refresh(&mut late).await, 200, "{behind}");
        assert_eq!(token(&late), token(&ada));
        assert!(token(&ada).issued_at <= api.clock.now().unix_timestamp());
        let before = ada.clone();
        assert_eq!(ada.post("/api/auth/logout").await.status, 200);
        assert_eq!(refresh(&mut before.clone()).await, 401, "{behind}");
        assert_eq!(revoked(&api).await, [token(&before).session_id.0]);
    }
}

#[tokio::test]
async fn a_thief_who_refreshes_without_a_pause_is_found_out_as_well() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut thief = ada.clone();
    // More than are remembered, in each grace.
    for _ in 0..30 {
        for _ in 0..20 {
            assert_eq!(refresh(&mut thief).await, 200);
        }
        api.clock.advance(Duration::SECOND);
    }
    ada.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
    assert_eq!(revoked(&api).await, [token(&ada).session_id.0]);
    assert_eq!(refresh(&mut thief).await, 401);
}

#[tokio::test]
async fn a_refusal_leaves_the_cookies_alone() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let mut copy = ada.clone();
    ada.post("/api/auth/logout").await;
    copy.post("/api/auth/refresh").await.assert_refused(401, NOT_SIGNED_IN);
    assert_eq!(copy.cookies.len(), 2);
}

/// The statement for the plain case is spelled in SQL. It writes what the state machine says, or nothing.
#[tokio::test]
async fn plain_refresh_in_sql_is_that_of_the_state_machine() {
    let api = Api::start().await;
    let ada = api.registered("ada@example.com").await;
    let (now, presented) = (api.clock.now(), RefreshClaims { generation: 3, ..token(&ada) });
    let lifetimes = api.state.tokens.lifetimes;
    let mut connection = api.pool.acquire().await.expect("a connection");
    let mut steps = Vec::new();
    let mut plain = 0;
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
                assert_eq!(arrange.execute(&mut *connection).await.expect("an update").rows_affected(), 1);
                let user = sqlx::query(sqlx::AssertSqlSafe(format!("update users set {user}")));
                user.execute(&mut *connection).await.expect("an update");

                let before = read(&mut connection, presented).await;
                let decided = before.decide_refresh(presented, &lifetimes, now);
                let is_plain = decided == Ok(Step::Rotate)
                    && before.generation == presented.generation
                    && before.superseded.first().is_none_or(|latest| *latest <= now - lifetimes.grace)
                    && before.created_at <= now;
                let rotated = refresh::rotate_plain(&mut connection, presented, &lifetimes, now).await;
                let after = read(&mut connection, presented).await;
                let expected = if is_plain {
                    plain += 1;
                    before.clone().apply(Step::Rotate, presented.generation, &lifetimes, now)
                } else {
                    before.clone()
                };
                assert_eq!(after, expected, "{before:?}");
                assert_eq!(rotated.expect("a statement"), is_plain.then_some(expected), "{before:?}");

                // In every other case the state machine decides, and what it says is stored.
                let next = before.clone().apply(
                    decided.unwrap_or(Step::Repeat),
                    presented.generation,
                    &lifetimes,
                    now,
                );
                refresh::store(&mut connection, presented.session_id, &next).await.expect("a statement");
                assert_eq!(read(&mut connection, presented).await, next, "{before:?}");
                steps.push(decided);
            }
        }
    }
    assert!(plain > 0, "no session was plain");
    for step in [Step::Rotate, Step::Renew, Step::Repeat] {
        assert!(steps.contains(&Ok(step)), "{step:?}");
    }
    for refused in [
        RefreshRejection::TokenTooOld,
        RefreshRejection::UserDisabled,
        RefreshRejection::SessionExpired,
        RefreshRejection::TokenReused,
    ] {
        assert!(steps.contains(&Err(refused)), "{refused:?}");
    }
}

/// The session as the database has it.
async fn read(connection: &mut PgConnection, presented: RefreshClaims) -> Session {
    refresh::lock(connection, presented.session_id).await.expect("a statement").expect("a session")
}

async fn edge_refresh(api: &Api, client: &Client) -> Answer {
    let mut edge = api.internal();
    let mut request = edge.request(Method::POST, "/internal/edge-refresh");
    for (name, value) in &client.cookies {
        request = request.header(COOKIE, format!("{name}={value}"));
    }
    edge.send(request.header(USER_AGENT, "Envoy")).await
}

#[tokio::test]
async fn the_edge_refreshes_as_the_browser_would() {
    for prefix in ["", "__Host-"] {
        let api = Api::start_with(&[("COOKIE_PREFIX", prefix)]).await;
        let mut ada = api.registered("ada@example.com").await;
        let answer = edge_refresh(&api, &ada).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.set_cookies().is_empty(), "they are for the browser, not for the filter");
        let cookies = answer.body["set_cookies"].as_array().expect("cookies");
        let same = ada.post("/api/auth/refresh").await;
        assert_eq!(json!(same.set_cookies()), json!(cookies), "the same successor, whoever asks");
        assert_eq!(answer.body["access_token"], json!(ada.cookies[&format!("{prefix}access_token")]));
        assert_eq!(ada.get("/api/auth/self").await.status, 200);
    }
}

#[tokio::test]
async fn the_edge_is_told_when_a_session_is_over_and_when_that_is_not_known() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let before = ada.clone();
    edge_refresh(&api, &api.client()).await.assert_refused(401, NOT_SIGNED_IN);
    ada.post("/api/auth/logout").await;
    edge_refresh(&api, &before).await.assert_refused(401, NOT_SIGNED_IN);
    api.pool.close().await;
    let away = edge_refresh(&api, &before).await;
    away.assert_refused(503, "The database is not available, please try again");
    assert_eq!(away.header("retry-after"), "1");
}

#[tokio::test]
async fn the_public_listener_has_no_edge_refresh() {
    let api = Api::start().await;
    let mut client = api.client();
    for path in ["/internal/edge-refresh", "/api/internal/edge-refresh"] {
        client.post(path).await.assert_refused(404, "Not found");
    }
}
