//! Import and export of users, by the commands: who can log in afterwards, what is rejected, and what an interrupted import
//! leaves.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use edgeward_kit::api::Api;
use edgeward_kit::command::{self, finish, start};
use edgeward_kit::database;
use sqlx::PgPool;

/// Hashes by libxcrypt 4.4 at cost 4, without the prefix: of `correct horse`, and of [`LONG`], which bcrypt truncates.
const SHORT_HASH: &str = "04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
const LONG_HASH: &str = "04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";
const SHORT: &str = "correct horse";
const LONG: &str = "01234567890123456789012345678901234567890123456789012345678901234567890123456789";
/// Rows of a transaction of the import.
const BATCH: usize = 1000;

fn text(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat();
    assert!(!text.contains("abcdefghijklmnopqrstuu"), "a hash is printed: {text}");
    text
}

/// Imports from standard input, and returns all output.
fn import(url: &str, arguments: &[&str], input: &str, code: i32) -> String {
    let arguments = [&["user", "import", "-"], arguments].concat();
    let output = command::run(url, &arguments, input);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

fn export(url: &str, arguments: &[&str]) -> String {
    let output = command::run(url, &[&["user", "export"], arguments].concat(), "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Makes a CSV file of users without passwords.
fn users(count: usize) -> String {
    let mut csv = "email,first_name,last_name\n".to_owned();
    for number in 1..=count {
        writeln!(csv, "user{number}@example.com,User,Number {number}").expect("a text");
    }
    csv
}

async fn count(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.expect("a count")
}

async fn count_users(pool: &PgPool) -> i64 {
    count(pool, "select count(*) from users").await
}

async fn count_events(pool: &PgPool) -> i64 {
    count(pool, "select count(*) from audit_log where event = 'user_imported' and actor = 'command_line'")
        .await
}

async fn execute(pool: &PgPool, statement: &'static str) {
    sqlx::raw_sql(statement).execute(pool).await.expect("a statement");
}

#[tokio::test]
async fn an_imported_user_logs_in_with_the_old_password() {
    let api = Api::start().await;
    let mut csv = "\u{feff}email,first_name,last_name,password,role\r\n".to_owned();
    for (email, prefix, hash) in [
        ("ann@Example.com", "$2a$", SHORT_HASH),
        ("bob@example.com", "$2b$", SHORT_HASH),
        ("cid@example.com", "$2y$", SHORT_HASH),
        ("dan@example.com", "$2b$", LONG_HASH),
    ] {
        write!(csv, "{email},First,Last,{prefix}{hash},editor\r\n").expect("a text");
    }
    csv.push_str("none@example.com,No,Password,,\r\n");
    let output = import(&api.database.url, &["--format", "csv"], &csv, 0);
    assert!(output.contains("read 5, imported 5, skipped 0, with mistakes 0"), "{output}");
    assert!(output.contains("1 users have no password"), "{output}");
    for (email, password, status) in [
        ("ann@example.com", SHORT, 200),
        ("bob@example.com", SHORT, 200),
        ("cid@example.com", SHORT, 200),
        ("dan@example.com", LONG, 200),
        ("dan@example.com", SHORT, 401),
        ("none@example.com", SHORT, 401),
    ] {
        assert_eq!(api.client().login(email, password).await.status, status, "{email} {password}");
    }
    assert_eq!(count(&api.pool, "select count(*) from users where role = 'editor'").await, 4);
    assert_eq!(count_events(&api.pool).await, 5);
}

#[tokio::test]
async fn every_mistake_is_named_and_nothing_is_written() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let csv = format!(
        "id,email,first_name,last_name,password\n\
         7,ok@example.com,Ok,Ok,\n\
         8,ok@,Ok,Ok,\n\
         9,hash@example.com,Ok,Ok,$2x${SHORT_HASH}\n\
         10,OK@example.com,Again,Ok,\n\
         11,ada@example.com,Ada,Ok,\n\
         7,id@example.com,Same,Id,\n\
         1,taken@example.com,Taken,Id,\n\
         12,short@example.com\n"
    );
    let arguments = ["--format", "csv", "--keep-ids"];
    let mistakes = [
        "line 3, email: E-mail is not an e-mail address",
        "line 4, password_hash: is not a bcrypt hash",
        "line 5, email: is the same as in line 2",
        "line 6, email: belongs to user 1 already",
        "line 7, id: is the same as in line 2",
        "line 8, id: belongs to a user with another e-mail address already",
        "line 9, has 2 fields, but the header has 5",
    ];
    let output = import(&api.database.url, &arguments, &csv, 1);
    for mistake in mistakes {
        assert!(output.contains(mistake), "{mistake}: {output}");
    }
    assert!(output.contains("7 rows have mistakes, nothing was written"), "{output}");
    assert_eq!(api.count_users().await, 1);

    let output = import(&api.database.url, &[&arguments[..], &["--skip-invalid"]].concat(), &csv, 1);
    assert!(output.contains("read 8, imported 1, skipped 0, with mistakes 7"), "{output}");
    assert_eq!(count(&api.pool, "select id from users where email = 'ok@example.com'").await, 7);
    // The sequence of IDs is past the kept one.
    api.registered("next@example.com").await;
    assert_eq!(count(&api.pool, "select id from users where email = 'next@example.com'").await, 8);
}

#[tokio::test]
async fn dry_run_checks_everything_and_writes_nothing() {
    let database = database::fresh().await;
    let check = |arguments: &[&str], csv: &str, code, expected: &str| {
        let arguments = [&["--format", "csv", "--dry-run"], arguments].concat();
        let output = import(&database.url, &arguments, csv, code);
        assert!(output.contains(expected), "{output}");
    };
    check(&[], &users(3), 0, "read 3, could be imported 3 (dry run), skipped 0, with mistakes 0");
    check(&[], &format!("{}user1@example.com,A,B\n", users(3)), 1, "line 5, email: is the same as in line 2");
    assert_eq!(count_users(&database.pool()).await, 0);
    import(&database.url, &["--format", "csv"], &users(2), 0);
    check(&[], &users(3), 1, "line 2, email: belongs to user 1 already");
    check(&["--skip-existing"], &users(3), 0, "could be imported 1 (dry run), skipped 2, with mistakes 0");
    assert_eq!(count_users(&database.pool()).await, 2);
}

#[tokio::test]
async fn an_import_that_was_killed_is_completed_by_the_next() {
    let database = database::fresh().await;
    let pool = database.pool();
    let arguments = ["user", "import", "-", "--format", "csv"];
    let csv = users(3 * BATCH);
    // The second batch waits for this row, whose address it has too.
    let mut blocker = pool.begin().await.expect("a transaction");
    let row = "insert into users (first_name, last_name, email, created_at, updated_at)
               values ('A', 'B', 'user1500@example.com', now(), now())";
    sqlx::query(row).execute(&mut *blocker).await.expect("a row");
    let mut child = start(&database.url, &[], &arguments);
    let mut input = child.stdin.take().expect("an input");
    input.write_all(csv.as_bytes()).expect("a file");
    drop(input);
    database::wait_for_locks(&pool, 1).await;
    child.kill().expect("a running command");
    child.wait().expect("an end");
    blocker.rollback().await.expect("a rollback");
    assert_eq!(count_users(&pool).await, 1000);
    assert_eq!(count_events(&pool).await, 1000);

    let output = import(&database.url, &["--format", "csv"], &csv, 1);
    assert!(output.contains("1000 rows have mistakes, nothing was written"), "{}", output.len());
    let output = import(&database.url, &["--format", "csv", "--skip-existing"], &csv, 0);
    assert!(output.contains("read 3000, imported 2000, skipped 1000, with mistakes 0"), "{output}");
    assert_eq!(count(&pool, "select count(distinct email) from users").await, 3000);
    assert_eq!(count_events(&pool).await, 3000);
}

#[tokio::test]
async fn an_address_that_is_taken_during_the_import_is_named() {
    let database = database::fresh().await;
    let pool = database.pool();
    let mut blocker = pool.begin().await.expect("a transaction");
    let row = "insert into users (first_name, last_name, email, created_at, updated_at)
               values ('A', 'B', 'user2@example.com', now(), now())";
    sqlx::query(row).execute(&mut *blocker).await.expect("a row");
    let child = start(&database.url, &[], &["user", "import", "-", "--format", "csv"]);
    let running = std::thread::spawn(move || finish(child, &users(3)));
    database::wait_for_locks(&pool, 1).await;
    blocker.commit().await.expect("a commit");
    let output = text(&running.join().expect("an output"));
    assert!(output.contains("line 3, was given to another user during the import"), "{output}");
    assert!(output.contains("read 3, imported 2, skipped 0, with mistakes 1"), "{output}");
    assert_eq!((count_users(&pool).await, count_events(&pool).await), (3, 2));
}

#[tokio::test]
async fn users_are_read_from_the_table_of_another_service() {
    let api = Api::start().await;
    let other = database::bare().await;
    execute(
        &other.pool(),
        r#"create schema auth;
           create table auth.users (
               id serial primary key, "firstName" varchar not null, "lastName" varchar not null,
               email varchar not null unique, password varchar not null, role varchar not null, "tenantId" integer,
               "createdAt" timestamp not null, "updatedAt" timestamp not null);
           insert into auth.users values
               (5, 'Ada', 'Lovelace', 'Ada@Example.com', '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e',
                'admin', 1, '2020-02-03 04:05:06.789', '2021-02-03 04:05:06'),
               (6, 'Bob', ' ', 'bob@example.com', 'hunter22', 'customer', null, now(), now())"#,
    )
    .await;
    let import = |arguments: &[&str]| {
        let arguments =
            [&["user", "import", "--from-postgres", "--table", "auth.users", "--keep-ids"], arguments]
                .concat();
        let settings = [("IMPORT_DATABASE_URL", other.url.as_str())];
        text(&finish(start(&api.database.url, &settings, &arguments), ""))
    };
    let output = import(&[]);
    assert!(output.contains("unknown columns: tenantId"), "{output}");
    let output = import(&["--ignore-unknown-columns", "--skip-invalid"]);
    assert!(output.contains("id 6, last_name: A name is required"), "{output}");
    assert!(output.contains("id 6, password_hash: is not a bcrypt hash"), "{output}");
    assert!(!output.contains("hunter22"), "{output}");
    assert!(output.contains("read 2, imported 1, skipped 0, with mistakes 1"), "{output}");
    let response = api.client().login("ada@example.com", SHORT).await;
    assert_eq!((response.status, response.body["userId"].as_i64()), (200, Some(5)));
    let kept = "select count(*) from users where created_at = '2020-02-03 04:05:06.789Z' and role = 'admin'";
    assert_eq!(count(&api.pool, kept).await, 1);
}

#[tokio::test]
async fn an_export_is_imported_again_without_a_difference() {
    let api = Api::start().await;
    let csv = format!(
        "id,email,first_name,last_name,password,role,disabled_at,created_at\n\
         3,ada@example.com,\"Ada, \"\"A\"\"\",Lovelace,$2b${SHORT_HASH},admin,,2020-01-02T03:04:05.678901Z\n\
         9,bob@example.com,=1+1,Doe,,customer,2021-01-01T00:00:00Z,\n"
    );
    import(&api.database.url, &["--format", "csv", "--keep-ids", "--own-hashes"], &csv, 0);
    let plain = export(&api.database.url, &["--format", "jsonl"]);
    assert!(!plain.contains("$2b$"), "{plain}");
    for format in ["csv", "jsonl"] {
        let exported = export(&api.database.url, &["--format", format, "--with-password-hashes"]);
        assert!(exported.contains(&format!("$2b${SHORT_HASH}")), "{exported}");
        let copy = database::fresh().await;
        import(&copy.url, &["--format", format, "--keep-ids", "--own-hashes"], &exported, 0);
        assert_eq!(export(&copy.url, &["--format", format, "--with-password-hashes"]), exported);
    }
}

#[tokio::test]
async fn an_exported_file_is_readable_by_its_owner_alone() {
    let database = database::fresh().await;
    import(&database.url, &["--format", "csv"], &users(2500), 0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.csv");
    let name = path.to_str().expect("UTF-8");
    assert_eq!(export(&database.url, &[name]), "");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    let written = fs::read_to_string(&path).expect("a file");
    assert_eq!(written.lines().count(), 2501);
    let output = command::run(&database.url, &["user", "export", name], "");
    assert_eq!(output.status.code(), Some(1), "another file is not replaced");
    assert_eq!(fs::read_to_string(&path).expect("a file"), written);
}
