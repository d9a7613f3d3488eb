//! Deletion of expired sessions and of old audit entries, for which no request waits.

use edgeward_companion::service::maintenance;
use edgeward_kit::api::Api;
use time::Duration;

#[tokio::test]
async fn expired_sessions_are_deleted_in_batches_except_locked_ones() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    api.add_expired_sessions(2500).await;

    let mut held = api.pool.begin().await.expect("a transaction");
    let two = "select id from refresh_tokens where id in (7, 1500) for update";
    sqlx::query(two).execute(&mut *held).await.expect("locks");
    let context = api.system();
    maintenance::delete_expired(&context).await.expect("a cleaning");
    assert_eq!(api.count_sessions().await, 3);
    held.commit().await.expect("the end of the transaction");
    maintenance::delete_expired(&context).await.expect("a cleaning");
    assert_eq!(api.count_sessions().await, 1);
    assert_eq!(ada.refresh().await.status, 200);
}

#[tokio::test]
async fn pending_logins_and_challenges_are_deleted_in_batches() {
    let api = Api::start().await;
    let rows = [
        "insert into pending_logins (token_hash, user_id, password_changed_at, expires_at)
         select sha256(n::text::bytea), 1, $1, $1 from generate_series(1, 2500) n",
        "insert into factor_challenges (token_hash, purpose, state, expires_at)
         select sha256(n::text::bytea), 'log_in', '', $1 from generate_series(1, 2500) n",
    ];
    let context = api.system();
    for rows in rows {
        sqlx::query(rows).bind(context.now()).execute(&api.pool).await.expect("rows");
    }
    maintenance::delete_expired(&context).await.expect("a cleaning");
    let left = "select (select count(*) from pending_logins) + (select count(*) from factor_challenges)";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&api.pool).await.expect("a number");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn entries_of_the_audit_log_are_deleted_at_their_age_once_reported() {
    let api = Api::start().await;
    let retention = Duration::days(30);
    // The database has a clock of its own.
    api.clock.catch_up();
    api.clock.advance(-retention - Duration::DAY);
    api.add_audit_entries(2500).await;
    let context = api.system();
    let delete = async || maintenance::delete_old_entries(&context, retention).await.expect("a deletion");

    api.clock.advance(retention);
    delete().await;
    assert_eq!(api.count_audit_entries().await, 2500, "entries of exactly that age");
    api.clock.advance(Duration::microseconds(1));
    sqlx::query("update audit_log set reported = false where id = 7")
        .execute(&api.pool)
        .await
        .expect("a row");
    api.registered("ada@example.com").await;
    delete().await;
    assert_eq!(api.count_audit_entries().await, 2, "the one that is not reported, and the registration");
    maintenance::report_audit(&context).await.expect("a report");
    delete().await;
    assert_eq!(api.count_audit_entries().await, 1);
    api.clock.advance(Duration::weeks(520));
    delete().await;
    assert_eq!(api.count_audit_entries().await, 1, "by a clock that is ahead");
    let metrics = api.internal().get("/metrics").await.text;
    assert!(metrics.contains("edgeward_audit_entries_deleted_total 2500"), "{metrics}");
}
