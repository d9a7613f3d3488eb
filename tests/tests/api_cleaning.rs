//! Sessions that have expired are deleted, and nobody waits for it.

use edgeward_companion::service::maintenance;
use edgeward_tests::api::Api;
use sqlx::{Connection as _, PgConnection};

async fn count(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from refresh_tokens").fetch_one(connection).await.expect("a count")
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
    let context = api.system();
    maintenance::delete_expired(&context).await.expect("a cleaning");
    assert_eq!(count(&mut connection).await, 3);
    held.commit().await.expect("the end of the transaction");
    maintenance::delete_expired(&context).await.expect("a cleaning");
    assert_eq!(count(&mut connection).await, 1);
    assert_eq!(ada.post("/api/auth/refresh").await.status, 200);
}
