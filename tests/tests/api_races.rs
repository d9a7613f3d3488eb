//! What happens to a user while that user signs in or refreshes: the change comes first, and is seen.

use edgeward_tests::api::{Api, Client, PASSWORD};

async fn refresh(client: &mut Client) -> u16 {
    client.post("/api/auth/refresh").await.status
}

#[tokio::test]
async fn a_login_during_a_change_of_its_user_comes_after_it() {
    for (change, status, expected) in [
        ("update users set disabled_at = now()", 403, None),
        ("update users set role = 'admin'", 200, Some("admin")),
        ("delete from users", 403, None),
        ("update users set password = overlay(password placing repeat('.', 31) from 30)", 503, None),
    ] {
        let api = Api::start().await;
        api.registered("ada@example.com").await;
        sqlx::query("delete from refresh_tokens").execute(&api.pool).await.expect("a logout");
        let mut transaction = api.pool.begin().await.expect("a transaction");
        sqlx::query(change).execute(&mut *transaction).await.expect("a change");
        let mut ada = api.client();
        let login = tokio::spawn(async move { (ada.login("ada@example.com", PASSWORD).await.status, ada) });
        api.wait_for_lock().await;
        transaction.commit().await.expect("a commit");
        let (given, ada) = login.await.expect("an answer");
        assert_eq!(given, status, "{change}");
        assert_eq!((!ada.cookies.is_empty()).then(|| ada.role()).as_deref(), expected, "{change}");
        let sessions =
            sqlx::query_scalar::<_, i64>("select count(*) from refresh_tokens").fetch_one(&api.pool).await;
        assert_eq!(sessions.expect("a count"), i64::from(expected.is_some()), "{change}");
    }
}

#[tokio::test]
async fn a_refresh_during_a_change_of_its_user_comes_after_it() {
    for (change, status, expected) in [
        ("update users set disabled_at = now()", 401, "customer"),
        ("update users set role = 'admin'", 200, "admin"),
    ] {
        let api = Api::start().await;
        let mut ada = api.registered("ada@example.com").await;
        let mut transaction = api.pool.begin().await.expect("a transaction");
        sqlx::query(change).execute(&mut *transaction).await.expect("a change");
        let refreshed = tokio::spawn(async move { (refresh(&mut ada).await, ada) });
        api.wait_for_lock().await;
        transaction.commit().await.expect("a commit");
        let (given, ada) = refreshed.await.expect("an answer");
        assert_eq!((given, ada.role().as_str()), (status, expected), "{change}");
    }
}
