//! Races: logins and refreshes during a change of their user, which take effect after it; simultaneous refreshes of one
//! session, which all get the same successor.

use std::sync::Arc;

use edgeward_kit::api::Api;
use edgeward_kit::client::{Client, PASSWORD};
use edgeward_stack::variable;
use reqwest::Method;
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_login_during_a_change_of_its_user_comes_after_it() {
    for (change, status, expected) in [
        ("update users set disabled_at = now()", 403, None),
        ("update users set role = 'admin'", 200, Some("admin")),
        ("delete from users", 403, None),
        ("update users set password = overlay(password placing repeat('.', 31) from 30)", 503, None),
        ("delete from passwords", 503, None),
    ] {
        let api = Api::start().await;
        api.registered("ada@example.com").await;
        api.delete_sessions().await;
        let mut transaction = api.pool.begin().await.expect("a transaction");
        sqlx::query(change).execute(&mut *transaction).await.expect("a change");
        let mut ada = api.client();
        let login = tokio::spawn(async move { (ada.login("ada@example.com", PASSWORD).await.status, ada) });
        api.wait_for_lock().await;
        transaction.commit().await.expect("a commit");
        let (given, ada) = login.await.expect("a response");
        assert_eq!(given, status, "{change}");
        assert_eq!((!ada.cookies.is_empty()).then(|| ada.role()).as_deref(), expected, "{change}");
        assert_eq!(api.count_sessions().await, i64::from(expected.is_some()), "{change}");
    }
}

#[tokio::test]
async fn logins_at_once_with_an_outdated_hash_all_succeed() {
    let api = Api::start_with(&[("BCRYPT_COST", "5")]).await;
    api.registered("ada@example.com").await;
    let hash = Api::hash_at_cost_4(PASSWORD).await;
    api.import_password(&hash).await;
    let logins = (0..4).map(|_| {
        let mut client = api.client();
        tokio::spawn(async move { client.login("ada@example.com", PASSWORD).await.status })
    });
    for login in logins.collect::<Vec<_>>() {
        assert_eq!(login.await.expect("a response"), 200);
    }
    assert!(api.stored_password().await.starts_with("$2b$05$"));
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
        let refreshed = tokio::spawn(async move { (ada.refresh().await.status, ada) });
        api.wait_for_lock().await;
        transaction.commit().await.expect("a commit");
        let (given, ada) = refreshed.await.expect("a response");
        assert_eq!(given, status, "{change}");
        assert_eq!(ada.role(), expected, "{change}");
    }
}

#[tokio::test]
async fn refresh_does_not_overtake_a_waiting_change_of_its_user() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await;
    // A slow refresh, a change that waits for it, and another refresh.
    let mut first = api.pool.begin().await.expect("a transaction");
    sqlx::query("select from users for share").execute(&mut *first).await.expect("a lock");
    let pool = api.pool.clone();
    let change = tokio::spawn(async move {
        sqlx::query("update users set disabled_at = now()").execute(&pool).await.expect("a change")
    });
    api.wait_for_locks(1).await;
    let refreshed = tokio::spawn(async move { ada.refresh().await.status });
    api.wait_for_locks(2).await;
    first.commit().await.expect("a commit");
    change.await.expect("a change");
    assert_eq!(refreshed.await.expect("a response"), 401, "the change came first");
}

#[tokio::test]
async fn session_that_ends_right_after_its_refresh_gets_no_cookies() {
    let api = Api::start().await;
    let mut ada = api.registered("ada@example.com").await.clone_with(&["refresh_token"]);
    // The refresh waits for this row.
    let mut first = api.pool.begin().await.expect("a transaction");
    sqlx::query("select from users for update").execute(&mut *first).await.expect("a lock");
    let logout = tokio::spawn(async move { ada.post("/api/auth/logout-all").await });
    api.wait_for_locks(1).await;
    // Postgres grants this lock the moment that the refresh is committed: before the logout itself, which waits for it.
    let mut between = api.pool.begin().await.expect("a transaction");
    let lock = tokio::spawn(async move {
        sqlx::query("lock table users in exclusive mode").execute(&mut *between).await.expect("a lock");
        between
    });
    api.wait_for_locks(2).await;
    first.commit().await.expect("a commit");
    let mut between = lock.await.expect("a lock");
    api.wait_for_lock().await;
    let refreshed = "delete from refresh_tokens where generation > 1 returning id";
    let ended = sqlx::query(refreshed).fetch_all(&mut *between).await.expect("an end");
    assert_eq!(ended.len(), 1, "the refresh came first");
    between.commit().await.expect("a commit");
    logout.await.expect("a response").assert_rejected(401, "not_signed_in");
}

/// Number of tabs that refresh each session at once.
const TABS: u32 = 8;
/// Number of refreshes of each tab, each within the grace period of the one before.
const ROUNDS: u32 = 3;

/// Repeats a request while it is rejected with 503: with so many at once, some wait too long for the database.
async fn send_patiently(client: &mut Client, method: Method, path: &str) -> u16 {
    for _ in 0..20 {
        let request = client.request(method.clone(), path);
        let status = client.send(request).await.status;
        if status != 503 {
            return status;
        }
    }
    panic!("the database is unavailable after 20 requests");
}

async fn refresh_patiently(client: &mut Client) {
    assert_eq!(send_patiently(client, Method::POST, "/api/auth/refresh").await, 200);
}

/// Refreshes a session in tabs with these cookies at once, and returns each tab with its new cookies. Every fifth response
/// is lost, and in every fifth session all of them: the tab keeps its former cookies.
async fn refresh_in_every_tab(jars: &[Client], seed: u32) -> Vec<Client> {
    let tabs = jars.iter().zip(0..).map(|(jar, tab)| {
        let (before, mut tab_of_jar) = (jar.clone(), jar.clone());
        tokio::spawn(async move {
            refresh_patiently(&mut tab_of_jar).await;
            let is_lost = seed.is_multiple_of(5) || (seed + tab).is_multiple_of(5);
            if is_lost { before } else { tab_of_jar }
        })
    });
    let mut clients = Vec::new();
    for tab in tabs.collect::<Vec<_>>() {
        clients.push(tab.await.expect("a response"));
    }
    clients
}

/// Refreshes a session repeatedly in all its tabs. They share no cookies: a tab whose response was lost sends an older token
/// again, while the others use its successor.
async fn refresh_repeatedly(jar: Client, seed: u32) -> u16 {
    let mut jars = vec![jar; TABS as usize];
    for round in 0..ROUNDS {
        jars = refresh_in_every_tab(&jars, seed + round).await;
    }
    for jar in &mut jars {
        refresh_patiently(jar).await;
        let status = send_patiently(jar, Method::GET, "/api/auth/self").await;
        if status != 200 {
            return status;
        }
    }
    200
}

/// Refreshes many sessions repeatedly, each in all its tabs at once.
async fn race(sessions: u32) {
    let api = Api::start().await;
    // Chosen: enough at a time to keep the database busy.
    let permits = Arc::new(Semaphore::new(16));
    let mut tasks = Vec::new();
    for number in 0..sessions {
        let jar = api.registered(&format!("ada{number}@example.com")).await;
        let permits = Arc::clone(&permits);
        tasks.push(tokio::spawn(async move {
            let _permit = permits.acquire_owned().await;
            refresh_repeatedly(jar, number).await
        }));
    }
    let mut lost = 0;
    for task in tasks {
        lost += u32::from(task.await.expect("a session") != 200);
    }
    assert_eq!(lost, 0, "sessions were lost");
    assert_eq!(api.count_refreshed_sessions().await, i64::from(sessions), "one live generation each");
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_that_refresh_at_once_all_keep_the_session() {
    race(50).await;
}

// holds: invariant 10, promise 10
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: RACE_SESSIONS sets the number of sessions (default 10,000)"]
async fn tabs_of_ten_thousand_sessions_refresh_at_once_and_keep_them() {
    race(variable("RACE_SESSIONS").map_or(10_000, |count| count.parse().expect("a number"))).await;
}
