//! Commands that create, migrate and drop databases, run from the binary: output and exit code.

use std::fs::{self, DirEntry};
use std::io;

use edgeward_kit::command::{check, run};
use edgeward_kit::database;
use edgeward_stack::paths;

fn name(entry: io::Result<DirEntry>) -> String {
    entry.expect("a file").file_name().into_string().expect("UTF-8")
}

/// Returns the names of all migrations, in order.
fn migrations() -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(paths::root().join("migrations")).expect("a folder").map(name).collect();
    names.sort();
    names.retain(|name| name.ends_with(".up.sql"));
    names
}

#[tokio::test]
async fn migrations_are_listed_applied_and_reverted() {
    let database = database::bare().await;
    let check =
        |arguments: &[&str], code, expected: &str| check(&database.url, arguments, "", code, expected);
    let names = migrations();
    let line = |name: &String| format!("{}: pending\n", name.trim_end_matches(".up.sql").replace('_', " "));
    let pending: String = names.iter().map(line).collect();
    check(&["migrate", "status"], 0, &pending);
    check(&["user", "list"], 1, "run: edgeward migrate run");
    let applied = pending.replace("pending", "applied");
    check(&["migrate", "run"], 0, &applied);
    check(&["migrate", "run"], 0, &applied);
    for version in (3..=names.len()).rev() {
        check(&["migrate", "revert"], 0, &format!("reverted {version:04}\n0001 users: applied\n"));
    }
    check(&["migrate", "revert"], 0, "reverted 0002\n0001 users: applied\n0002 refresh tokens: pending\n");
    check(&["migrate", "revert"], 0, "reverted 0001\n");
    check(&["migrate", "revert"], 0, "there is no migration to revert\n");
    check(&["migrate", "run"], 0, &applied);
}

#[tokio::test]
async fn schema_of_another_version_is_reported() {
    let database = database::fresh().await;
    let change = "update _sqlx_migrations set checksum = '' where version = 1";
    sqlx::query(change).execute(&database.pool()).await.expect("an update");
    let future = "insert into _sqlx_migrations values (9999, 'later', now(), true, '', 0)";
    sqlx::query(future).execute(&database.pool()).await.expect("a row");
    for command in [["user", "list"], ["migrate", "run"], ["migrate", "revert"]] {
        let check = |expected: &str| check(&database.url, &command, "", 1, expected);
        check("0001 users: applied with another text");
        check("run the version of edgeward that migrated this database last");
    }
}

#[tokio::test]
async fn newer_schema_is_usable_if_it_supports_this_version() {
    let database = database::fresh().await;
    let check =
        |arguments: &[&str], code, expected: &str| check(&database.url, arguments, "", code, expected);
    let future = "insert into _sqlx_migrations values (9999, 'later', now(), true, '', 0)";
    sqlx::query(future).execute(&database.pool()).await.expect("a row");
    check(&["migrate", "status"], 0, "9999: applied by a newer version, and this one can run with it");
    check(&["migrate", "run"], 0, ": applied\n9999: applied by a newer version");
    check(&["user", "list"], 0, "");
    check(&["migrate", "revert"], 1, "run the version of edgeward that migrated this database last");

    let contract = "update oldest_version set migration = 9999";
    sqlx::query(contract).execute(&database.pool()).await.expect("an update");
    for command in [["user", "list"], ["migrate", "run"], ["migrate", "revert"]] {
        check(&command, 1, "9999: applied by another version, and this one cannot run with it");
    }
}

#[tokio::test]
async fn no_reverted_migration_takes_a_second_step_away() {
    let user = "insert into users (first_name, last_name, email, created_at, updated_at)
                values ('Ada', 'Lovelace', 'ada@example.com', now(), now())";
    let app = "insert into factors (user_id, kind, name, created_at, is_demanded, sealed, last_step)
               values (1, 'totp', 'Phone', now(), true, sha256('') || sha256(''), 0)";
    let codes = "insert into recovery_codes (user_id, hash) values (1, sha256(''))";
    for (rows, kept) in [(&[user, codes][..], 21), (&[user, app], 19), (&[user, app, codes], 19)] {
        let database = database::fresh().await;
        for row in rows {
            sqlx::query(*row).execute(&database.pool()).await.expect("a row");
        }
        let check = |code, expected: &str| check(&database.url, &["migrate", "revert"], "", code, expected);
        for version in (kept + 1..=migrations().len()).rev() {
            check(0, &format!("reverted {version:04}"));
        }
        check(1, "if a password alone may sign these users in");
    }
}

#[tokio::test]
async fn unfinished_migration_is_reported() {
    let database = database::fresh().await;
    let begun = "update _sqlx_migrations set success = false where version = 2";
    sqlx::query(begun).execute(&database.pool()).await.expect("an update");
    check(&database.url, &["migrate", "status"], "", 0, "0002 refresh tokens: begun and not finished");
    for command in [["user", "list"], ["migrate", "run"], ["migrate", "revert"]] {
        check(&database.url, &command, "", 1, "complete or revert migration 0002 by hand");
    }
}

#[tokio::test]
async fn failed_migration_is_reported_once() {
    let database = database::bare().await;
    sqlx::query("create table users ()").execute(&database.pool()).await.expect("a table");
    let text = run(&database.url, &["migrate", "run"], "").stderr;
    let text = String::from_utf8(text).expect("UTF-8");
    assert_eq!(text.matches("already exists").count(), 1, "{text}");
}

#[tokio::test]
async fn database_is_created_while_others_use_the_template() {
    let database = database::bare().await;
    let _other = database::connect("template1").await;
    check(&database.url, &["db", "drop", "--yes"], "", 0, "is dropped");
    check(&database.url, &["db", "create"], "", 0, "is created");
    let encoding: String =
        sqlx::query_scalar("show server_encoding").fetch_one(&database.pool()).await.expect("an encoding");
    assert_eq!(encoding, "UTF8");
}

#[tokio::test]
async fn databases_are_created_and_dropped() {
    let database = database::bare().await;
    let check =
        |arguments: &[&str], code, expected: &str| check(&database.url, arguments, "", code, expected);
    check(&["db", "create"], 0, "exists");
    check(&["db", "drop"], 1, "confirm with --yes");
    check(&["db", "drop", "--yes"], 0, "is dropped");
    check(&["migrate", "run"], 1, "run: edgeward db create");
    check(&["db", "create"], 0, "is created; run: edgeward migrate run");
    check(&["migrate", "run"], 0, "applied");
}
