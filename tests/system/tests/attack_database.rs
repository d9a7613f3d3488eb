//! Postgres that is read-only, slow, fails, has no free connection, or ends connections at random: each request
//! gets the response that is meant for it, in time. Nobody loses a session, and everything works again afterwards.

use std::time::{Duration, Instant};

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD, Response};
use edgeward_kit::database;
use sqlx::{Executor as _, PgConnection};

/// Maximum time of a response: the deadline of requests, and the time to write it.
const LIMIT: Duration = Duration::from_secs(26);

/// API, a user who is signed in, and one who is not.
struct Scene {
    api: Api,
    ada: Client,
}

impl Scene {
    async fn start() -> Self {
        let api = Api::start_with(&[("DB_POOL_SIZE", "4")]).await;
        let ada = api.registered("ada@example.com").await;
        Self { api, ada }
    }

    /// Sends every kind of request at once, and returns the responses by name.
    async fn send_all(&self) -> Vec<(&'static str, Response)> {
        let (api, ada) = (&self.api, &self.ada);
        // The feed and the readiness are read once a second.
        api.clock.advance(time::Duration::SECOND);
        let start = Instant::now();
        let nobody = || api.client();
        let (mut login, mut register, mut edge, mut ready) =
            (nobody(), nobody(), api.internal(), api.internal());
        let mut tabs = [ada.clone(), ada.clone(), ada.clone(), ada.clone()];
        let [current, sessions, refresh, held] = &mut tabs;
        *held = api.internal();
        held.cookies.clone_from(&ada.cookies);
        // Together they are too large for the stack.
        let responses = Box::pin(async {
            tokio::join!(
                login.login("ada@example.com", PASSWORD),
                register.register("grace@example.com"),
                current.get("/api/auth/self"),
                sessions.get("/api/auth/sessions"),
                refresh.refresh(),
                held.post("/internal/edge-refresh"),
                edge.get("/internal/edge-feed"),
                ready.get("/readyz"),
            )
        });
        let responses = responses.await;
        assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
        let (login, register, current, sessions, refresh, held, feed, ready) = responses;
        vec![
            ("login", login),
            ("register", register),
            ("self", current),
            ("sessions", sessions),
            ("refresh", refresh),
            ("edge refresh", held),
            ("feed", feed),
            ("ready", ready),
        ]
    }

    /// Fails unless all requests are rejected with a 503 that asks for a repetition, but for those that may succeed.
    async fn assert_unavailable(&self, may_succeed: &[&str]) {
        for (name, response) in self.send_all().await {
            if response.status < 300 && may_succeed.contains(&name) {
                continue;
            }
            assert_eq!(response.status, 503, "{name}: {response}");
            assert_eq!(response.header("retry-after"), "1", "{name}");
            let code = if name == "ready" { "not_ready" } else { "database_unavailable" };
            response.assert_rejected(503, code);
        }
    }

    /// Fails unless everything works, the session of before included.
    async fn assert_recovered(&mut self) {
        assert_eq!(self.ada.refresh().await.status, 200, "the session is lost");
        for (name, response) in self.send_all().await {
            let is_repeated = name == "register" && response.status == 409;
            assert!(response.status < 300 || is_repeated, "{name}: {response}");
        }
        assert_eq!(self.ada.logout().await.status, 200);
    }

    /// Returns a connection beside the pool.
    async fn beside(&self) -> PgConnection {
        database::connect(self.api.database.url.rsplit('/').next().expect("a name")).await
    }

    /// Ends every connection of the pool, so that the next ones have new defaults.
    async fn end_connections(&self) {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()";
        self.beside().await.execute(end).await.expect("an end");
    }

    async fn set_default(&self, assignment: &str) {
        let name = self.api.database.url.rsplit('/').next().expect("a name").to_owned();
        let statement = format!("alter database {name} {assignment}");
        let mut connection = self.beside().await;
        connection.execute("set default_transaction_read_only = off").await.expect("a setting");
        connection.execute(sqlx::AssertSqlSafe(statement)).await.expect("a default");
        self.end_connections().await;
    }
}

#[tokio::test]
async fn read_only_server_asks_to_retry_and_ends_no_session() {
    let mut scene = Scene::start().await;
    scene.set_default("set default_transaction_read_only = on").await;
    // These read alone; the first request over each connection may find it closed.
    scene.assert_unavailable(&["self", "sessions", "ready"]).await;
    scene.assert_unavailable(&["self", "sessions", "ready", "feed", "refresh", "edge refresh"]).await;
    scene.set_default("reset default_transaction_read_only").await;
    scene.send_all().await;
    scene.assert_recovered().await;
}

#[tokio::test]
#[ignore = "takes 12 s"]
async fn held_locks_exhaust_the_pool_and_everything_recovers() {
    let mut scene = Scene::start().await;
    let mut connection = scene.beside().await;
    connection.execute("begin; lock table users, refresh_tokens, passwords").await.expect("locks");
    scene.assert_unavailable(&["feed", "ready"]).await;
    connection.execute("rollback").await.expect("an end");
    scene.assert_recovered().await;
}

#[tokio::test]
#[ignore = "takes 12 s"]
async fn statement_that_takes_too_long_is_a_503() {
    let mut scene = Scene::start().await;
    let slow = "create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end';
                create trigger wait before insert or update on refresh_tokens for each row execute function wait()";
    scene.beside().await.execute(slow).await.expect("a trigger");
    scene.api.clock.advance(time::Duration::minutes(10));
    scene.assert_unavailable(&["self", "sessions", "feed", "ready"]).await;
    scene.beside().await.execute("drop trigger wait on refresh_tokens").await.expect("an end");
    scene.assert_recovered().await;
}

#[tokio::test]
async fn connections_ended_at_random_log_nobody_out() {
    let mut scene = Scene::start().await;
    let mut connection = scene.beside().await;
    for round in 0..40_u64 {
        scene.api.clock.advance(time::Duration::minutes(1));
        let mut tab = scene.ada.clone();
        let end = async {
            tokio::time::sleep(Duration::from_micros(round * 400)).await;
            let end = "select pg_terminate_backend(pid) from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid()";
            connection.execute(end).await.expect("an end");
        };
        let (response, ()) = tokio::join!(tab.refresh(), end);
        assert!([200, 503].contains(&response.status), "{response}");
        let repeated = async { while scene.ada.refresh().await.status == 503 {} };
        tokio::time::timeout(LIMIT, repeated).await.expect("a refresh");
        assert_eq!(scene.ada.refresh().await.status, 200, "round {round}");
    }
    scene.assert_recovered().await;
}

#[tokio::test]
async fn error_that_passes_by_itself_asks_to_retry_and_ends_no_session() {
    let mut scene = Scene::start().await;
    // Raised where rows are written (Postgres, appendix A).
    for (code, error) in [
        ("40001", "serialization_failure"),
        ("40P01", "deadlock_detected"),
        ("53100", "disk_full"),
        ("53200", "out_of_memory"),
        ("55P03", "lock_not_available"),
        ("57014", "query_canceled"),
        ("57P01", "admin_shutdown"),
    ] {
        let raise = format!(
            "create function fail() returns trigger language plpgsql as
             $$ begin raise exception using errcode = '{code}', message = '{error}'; end $$;
             create trigger fail before insert or update on refresh_tokens for each row execute function fail()"
        );
        scene.beside().await.execute(sqlx::AssertSqlSafe(raise)).await.expect(error);
        scene.api.clock.advance(time::Duration::minutes(10));
        scene.assert_unavailable(&["self", "sessions", "feed", "ready"]).await;
        scene.beside().await.execute("drop function fail cascade").await.expect(error);
        assert_eq!(scene.ada.refresh().await.status, 200, "{error}: the session is lost");
    }
    scene.assert_recovered().await;
}

#[tokio::test]
async fn attempts_that_fail_for_the_database_are_not_charged() {
    let scene = Scene::start().await;
    let office = || scene.api.client_from("203.0.113.7");
    let fail = "create function fail() returns trigger language plpgsql as
                $$ begin raise exception using errcode = '53100', message = 'disk_full'; end $$;
                create trigger fail before insert on refresh_tokens for each row execute function fail()";
    scene.beside().await.execute(fail).await.expect("a trigger");
    // More than LIMIT_ACCOUNT and LIMIT_REGISTRATION.
    for _ in 0..35 {
        office().login("ada@example.com", PASSWORD).await.assert_rejected(503, "database_unavailable");
        office().register("grace@example.com").await.assert_rejected(503, "database_unavailable");
    }
    scene.beside().await.execute("drop function fail cascade").await.expect("an end");
    assert_eq!(office().login("ada@example.com", PASSWORD).await.status, 200);
    assert_eq!(office().register("grace@example.com").await.status, 201);
}
