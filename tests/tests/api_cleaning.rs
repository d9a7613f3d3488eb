//! Sessions that have expired are deleted, and nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use edgeward_companion::cleaning;
use edgeward_tests::api::Api;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::watch;

async fn count(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from refresh_tokens").fetch_one(connection).await.expect("a count")
}

async fn wait_for(connection: &mut PgConnection, expected: i64) {
    for _ in 0..2000 {
        if count(connection).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("there are {}, not {expected}", count(connection).await);
}

#[tokio::test]
async fn what_has_expired_goes_in_batches_around_whatever_is_held() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    let copies = "insert into refresh_tokens (user_id, expires_at, created_at, updated_at)
                  select user_id, created_at, created_at, created_at from refresh_tokens, generate_series(1, 2500)";
    sqlx::query(copies).execute(&api.pool).await.expect("sessions");
    let mut connection = PgConnection::connect(&api.database.url).await.expect("a connection");

    let mut held = api.pool.begin().await.expect("a transaction");
    let two = "select id from refresh_tokens where id in (7, 1500) for update";
    sqlx::query(two).execute(&mut *held).await.expect("locks");
    let (stop, told) = watch::channel(false);
    let random: edgeward_companion::app::Random = Arc::new(SystemRandom::new());
    let task = tokio::spawn(cleaning::run(Arc::clone(&api.app), Duration::from_millis(10), random, told));
    wait_for(&mut connection, 3).await;
    held.commit().await.expect("the end of the transaction");
    wait_for(&mut connection, 1).await;
    assert_eq!(ada.post("/api/auth/refresh").await.status, 200);

    stop.send_replace(true);
    task.await.expect("the end of the cleaning");
}
