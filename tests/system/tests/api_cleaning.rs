//! Deletion of expired sessions, for which no request waits.

use edgeward_companion::service::maintenance;
use edgeward_kit::api::Api;

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
