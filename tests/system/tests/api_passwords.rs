//! Table of passwords beside the column of the former release: the migration, and the triggers between them.

use edgeward_kit::api::Api;
use edgeward_kit::client::PASSWORD;
use edgeward_kit::{command, database};
use sqlx::PgPool;

/// Bcrypt hash of none of the tests' passwords.
const OTHER: &str = "$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";

fn migrate(url: &str, step: &str) -> String {
    let output = command::run(url, &["migrate", step], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn column(pool: &PgPool) -> Option<String> {
    sqlx::query_scalar("select password from users").fetch_one(pool).await.expect("a user")
}

async fn table(pool: &PgPool) -> Option<String> {
    let hash = sqlx::query_scalar("select hash from passwords");
    hash.fetch_optional(pool).await.expect("a statement")
}

/// Reverts all migrations from 0007 on.
fn revert_passwords(database_url: &str) {
    while !migrate(database_url, "status").contains("0007 passwords: pending") {
        migrate(database_url, "revert");
    }
}

#[tokio::test]
async fn migration_carries_passwords_over_and_back() {
    let database = database::bare().await;
    let pool = database.pool();
    migrate(&database.url, "run");
    revert_passwords(&database.url);
    let insert = "insert into users (first_name, last_name, email, password, created_at, updated_at)
                  values ('Ada', 'Lovelace', 'ada@example.com', $1, now(), now())";
    sqlx::query(insert).bind(OTHER).execute(&pool).await.expect("a user");

    migrate(&database.url, "run");
    assert_eq!(table(&pool).await.as_deref(), Some(OTHER));
    sqlx::query("delete from passwords").execute(&pool).await.expect("a deletion");

    revert_passwords(&database.url);
    let hash = column(&pool).await.expect("a hash, which every user has in that schema");
    assert!(hash.starts_with("$2b$12$....") && hash.len() == 60, "{hash}");
}

#[tokio::test]
async fn column_and_table_of_passwords_stay_equal() {
    for (statement, expected) in [
        (
            "update users set password = '$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S'",
            Some(OTHER),
        ),
        (
            "update passwords set hash = '$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S'",
            Some(OTHER),
        ),
        ("update users set password = null", None),
        ("delete from passwords", None),
    ] {
        let api = Api::start().await;
        api.registered("ada@example.com").await;
        assert_eq!(column(&api.pool).await, table(&api.pool).await, "{statement}");
        sqlx::query(statement).execute(&api.pool).await.expect("a statement");
        assert_eq!(column(&api.pool).await.as_deref(), expected, "{statement}");
        assert_eq!(table(&api.pool).await.as_deref(), expected, "{statement}");
        assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 401, "{statement}");
    }
}

#[tokio::test]
async fn hash_of_another_scheme_leaves_none_for_the_former_release() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let other = "update passwords set scheme = 'argon2id', hash = '$argon2id$v=19$…'";
    sqlx::query(other).execute(&api.pool).await.expect("a statement");
    assert_eq!(column(&api.pool).await, None);
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn import_into_the_column_needs_no_rights_on_the_table() {
    let api = Api::start().await;
    let import = "create role importer;
                  grant insert, update on users to importer;
                  set role importer;
                  insert into users (first_name, last_name, email, password, created_at, updated_at)
                  values ('Ada', 'Lovelace', 'ada@example.com',
                          '$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S', now(), now());
                  reset role;
                  drop owned by importer;
                  drop role importer";
    sqlx::raw_sql(import).execute(&api.pool).await.expect("an import");
    assert_eq!(table(&api.pool).await.as_deref(), Some(OTHER));
}

#[tokio::test]
async fn user_without_a_password_exists_and_cannot_log_in() {
    let api = Api::start().await;
    let insert = "insert into users (first_name, last_name, email, created_at, updated_at)
                  values ('Ada', 'Lovelace', 'ada@example.com', now(), now())";
    sqlx::query(insert).execute(&api.pool).await.expect("a user");
    assert_eq!(api.client().login("ada@example.com", PASSWORD).await.status, 401);
}
