//! Commands that need a database, run from the binary: output and exit code.

use std::fs::{self, DirEntry};
use std::io::{self, BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use edgeward_kit::api::{Api, mint};
use edgeward_kit::client::PASSWORD;
use edgeward_kit::command::run;
use edgeward_kit::database::{self, Database};
use edgeward_kit::service::Service;
use edgeward_stack::paths;
use serde_json::{Value, json};
use sqlx::Executor as _;

fn check(url: &str, arguments: &[&str], input: &str, code: i32, expected: &str) {
    let output = run(url, arguments, input);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(expected), "{arguments:?}: {text}");
    assert!(!text.contains(PASSWORD));
}

fn name(entry: io::Result<DirEntry>) -> String {
    entry.expect("a file").file_name().into_string().expect("UTF-8")
}

#[tokio::test]
async fn migrations_are_listed_applied_and_reverted() {
    let database = database::bare().await;
    let check =
        |arguments: &[&str], code, expected: &str| check(&database.url, arguments, "", code, expected);
    let mut names: Vec<_> =
        fs::read_dir(paths::root().join("migrations")).expect("a folder").map(name).collect();
    names.sort();
    names.retain(|name| name.ends_with(".up.sql"));
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
async fn closed_output_ends_a_command_without_a_panic() {
    let database = database::fresh().await;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(paths::program("edgeward"));
    command.args(["user", "list"]).env_clear().current_dir(std::env::temp_dir()).stdout(writer);
    let output = command.env("DATABASE_URL", &database.url).stderr(Stdio::piped()).spawn();
    let output = output.and_then(std::process::Child::wait_with_output).expect("an output");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
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

#[tokio::test]
async fn user_is_created_listed_promoted_disabled_enabled_and_deleted() {
    let api = Api::start().await;
    let check = |arguments: &[&str], code, expected: &str| {
        check(&api.database.url, arguments, &format!("{PASSWORD}\n"), code, expected);
    };
    let create = ["user", "create", "Root@Example.com", "--first-name", "Ro", "--last-name", "Ot"];
    check(&[&create[..], &["--role", "admin"]].concat(), 0, "user 1 (root@example.com) is created, as admin");
    check(&create, 1, "there is a user root@example.com already");

    let mut root = api.client();
    assert_eq!(root.login("root@example.com", PASSWORD).await.status, 200);
    assert_eq!(root.get("/api/auth/self").await.body["user"]["role"], "admin");

    check(&["user", "list"], 0, "root@example.com");
    let demote = ["user", "set-role", "ROOT@example.com", "auditor", "--last-admin-too"];
    check(&demote, 0, "user 1 (root@example.com) has the role auditor");
    assert_eq!(root.get("/api/auth/self").await.body["user"]["role"], "auditor");
    check(&["user", "set-role", "root@example.com", "Big Boss"], 2, "a role is 1 to 64 of");

    check(&["user", "disable", "root@example.com"], 0, "sessions ended: 1");
    assert_eq!(root.refresh().await.status, 401);
    assert_eq!(api.client().login("root@example.com", PASSWORD).await.status, 403);
    check(&["user", "list"], 0, "disabled");
    check(&["user", "enable", "root@example.com"], 0, "may sign in");
    assert_eq!(api.client().login("root@example.com", PASSWORD).await.status, 200);

    check(&["user", "delete", "root@example.com"], 1, "confirm with --yes");
    check(&["user", "delete", "root@example.com", "--yes"], 0, "is deleted; sessions ended: 1");
    assert_eq!(api.client().login("root@example.com", PASSWORD).await.status, 401);
    check(&["user", "delete", "root@example.com", "--yes"], 1, "there is no user root@example.com");

    for command in ["disable", "enable", "unlock"] {
        check(&["user", command, "nobody@example.com"], 1, "there is no user nobody@example.com");
    }
    check(&["user", "set-role", "nobody@example.com", "admin"], 1, "there is no user nobody@example.com");
}

/// Returns the entries of the audit log, without their times.
async fn audit(api: &Api) -> Vec<(String, String, Option<i64>, String, bool)> {
    let entries = "select event, actor, user_id, details::text, reported from audit_log order by id";
    sqlx::query_as(entries).fetch_all(&api.pool).await.expect("entries")
}

#[tokio::test]
async fn command_that_changes_a_user_writes_one_audit_entry() {
    let api = Api::start().await;
    let check = |arguments: &[&str], event: &str| {
        let output = run(&api.database.url, arguments, &format!("{PASSWORD}\n"));
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        let line: Value = serde_json::from_str(&text).expect("one line of JSON");
        assert_eq!(line["target"], "audit", "{text}");
        assert_eq!(line["event"], event, "{text}");
        assert_eq!(line["actor"], "command_line", "{text}");
        assert_eq!(line["user_id"], 1, "{text}");
        assert!(!text.contains("example.com") && !text.contains(PASSWORD), "{text}");
    };
    check(&["user", "create", "a@example.com", "--first-name", "A", "--last-name", "B"], "user_created");
    check(&["user", "set-role", "a@example.com", "seller"], "role_changed");
    check(&["user", "set-password", "a@example.com"], "password_changed");
    check(&["user", "disable", "a@example.com"], "user_disabled");
    check(&["user", "enable", "a@example.com"], "user_enabled");
    check(&["user", "unlock", "a@example.com"], "user_unlocked");
    check(&["user", "delete", "a@example.com", "--yes"], "user_deleted");
    let entry = |event: &str, details: &str| {
        (event.to_owned(), "command_line".to_owned(), Some(1), details.to_owned(), false)
    };
    let expected = [
        entry("user_created", r#"{"role": "customer"}"#),
        entry("role_changed", r#"{"role": "seller"}"#),
        entry("password_changed", r#"{"sessions_ended": 0}"#),
        entry("user_disabled", r#"{"sessions_ended": 0}"#),
        entry("user_enabled", "{}"),
        entry("user_unlocked", "{}"),
        entry("user_deleted", r#"{"sessions_ended": 0}"#),
    ];
    assert_eq!(audit(&api).await, expected);
    let failed = run(&api.database.url, &["user", "disable", "a@example.com"], "");
    assert_eq!((failed.status.code(), audit(&api).await.len()), (Some(1), 7));
}

#[tokio::test]
async fn invalid_password_creates_no_user() {
    let database = database::fresh().await;
    let create = ["user", "create", "root@example.com", "--first-name", "Ro", "--last-name", "Ot"];
    check(&database.url, &create, "short\n", 1, "A password has at least 8 characters");
    check(&database.url, &create, &"a".repeat(5000), 1, "A password has at most 72 bytes");
    check(&database.url, &create, &format!("{PASSWORD}\n{PASSWORD}\n"), 1, "must be one line");
    check(&database.url, &create, &format!("{PASSWORD}\n\n"), 1, "must be one line");
    check(&database.url, &create[..3], "", 2, "--first-name");
    check(&database.url, &["user", "list"], "", 0, "NAME\n");
    check(&database.url, &create, &format!("{PASSWORD}\r\n"), 0, "is created, as customer");
}

#[tokio::test]
async fn service_starts_logs_its_addresses_and_stops_on_a_signal() {
    let database = database::bare().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let certs = folder.path().join("certs");
    let mut command = Command::new(paths::program("edgeward"));
    command.env_clear().env("DATABASE_URL", &database.url).env("APP_ENV", "prod").env("CERTS_DIR", &certs);
    command.env("REFRESH_JWT_SECRET", "0123456789abcdef0123456789abcdef");
    command.env("PORT", "0").env("INTERNAL_PORT", "0").env("DRAIN_DELAY_SECONDS", "60");
    command.current_dir(folder.path());
    let output = command.args(["keys", "generate"]).output().expect("an output");
    assert!(output.status.success(), "{output:?}");

    let mut serve = Command::new(command.get_program());
    serve.args(["serve", "--migrate"]).env_clear().current_dir(folder.path()).stdout(Stdio::piped());
    serve.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = serve.spawn().expect("a service");
    let mut lines = BufReader::new(child.stdout.take().expect("a log")).lines();
    // A slow machine has lines about slow statements between them.
    let mut listening = || -> Value {
        let mut values =
            lines.by_ref().map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("JSON"));
        values.find(|line: &Value| line["listener"].is_string()).expect("a line of a listener")
    };
    let (public, internal) = (listening(), listening());
    assert_eq!((&public["listener"], &internal["listener"]), (&json!("public"), &json!("internal")));
    let address = |line: &Value| line["address"].as_str().expect("an address").to_owned();
    let status = async |url: String| reqwest::get(url).await.expect("a response").status().as_u16();
    assert_eq!(status(format!("http://{}/.well-known/jwks.json", address(&public))).await, 200);
    assert_eq!(status(format!("http://{}/readyz", address(&internal))).await, 200);

    let pid = nix::unistd::Pid::from_raw(child.id().try_into().expect("a process ID"));
    let signal = |signal| nix::sys::signal::kill(pid, signal).expect("a signal");
    signal(nix::sys::signal::Signal::SIGTERM);
    // Load balancers see it first, and the service continues meanwhile.
    let ready = format!("http://{}/readyz", address(&internal));
    while status(ready.clone()).await == 200 {}
    assert_eq!(status(ready).await, 503);
    assert_eq!(status(format!("http://{}/.well-known/jwks.json", address(&public))).await, 200);
    // A second signal ends the wait.
    signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    let last = lines.map_while(Result::ok).last().expect("a line");
    assert!(last.contains("\"message\":\"stopped\""), "{last}");
}

#[tokio::test]
async fn service_starts_with_fewer_connections_than_configured() {
    let database = database::fresh().await;
    let mut owner = database.pool().acquire().await.expect("a connection");
    let few = "create role frugal login password 'p' connection limit 3;
               grant all on all tables in schema public to frugal";
    owner.execute(few).await.expect("a role");
    let url = database.url.split_once('@').map(|(_, server)| format!("postgres://frugal:p@{server}"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("private.pem"), mint().private_pem()).expect("a key");
    let service = Service::start(&Database { url: url.expect("an address") }, folder.path());
    assert_eq!(
        reqwest::get(format!("http://{}/readyz", service.internal)).await.expect("a response").status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn command_that_waits_too_long_for_a_lock_fails() {
    let api = Api::start().await;
    api.registered("ada@example.com").await;
    let mut transaction = api.pool.begin().await.expect("a transaction");
    sqlx::query("select from users for share").execute(&mut *transaction).await.expect("a lock");
    check(&api.database.url, &["user", "disable", "ada@example.com"], "", 1, "due to");
}

#[tokio::test(flavor = "multi_thread")]
async fn command_waits_for_a_server_that_is_starting() {
    let database = database::bare().await;
    let (credentials, server) = database.url.split_once('@').expect("a user");
    let (server, name) = server.split_once('/').expect("a database");
    // No server listens there yet.
    let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let mut command = Command::new(paths::program("edgeward"));
    command.args(["migrate", "run"]).env_clear().current_dir(std::env::temp_dir());
    command.env("DATABASE_URL", format!("{credentials}@{address}/{name}")).stderr(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a command");
    let mut text = String::new();
    BufReader::new(child.stderr.take().expect("an output")).read_line(&mut text).expect("a line");
    assert!(text.contains("Connection refused") && text.contains("trying again for"), "{text}");

    let listener = tokio::net::TcpListener::bind(address).await.expect("the port");
    let server = server.to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut upstream = tokio::net::TcpStream::connect(&server).await.expect("the server");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut upstream).await });
        }
    });
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("an end");
    let output = output.expect("an output");
    assert_eq!(
        (output.status.code(), output.stdout.ends_with(b": applied\n")),
        (Some(0), true),
        "{output:?}"
    );
}

#[tokio::test]
async fn command_does_not_wait_after_a_wrong_password_or_missing_database() {
    let database = database::bare().await;
    let (user, _) =
        database.url.rsplit_once(':').and_then(|(url, _)| url.rsplit_once(':')).expect("a password");
    let server = database.url.split_once('@').expect("a user").1;
    check(&format!("{user}:wrong@{server}"), &["migrate", "run"], "", 1, "password authentication failed");
    check(&format!("{}x", database.url), &["migrate", "run"], "", 1, "run: edgeward db create");
    let no_wait = [("DATABASE_URL", "postgres://ada@127.0.0.1:1/x"), ("DB_WAIT_SECONDS", "0")];
    let output =
        Command::new(paths::program("edgeward")).args(["migrate", "run"]).env_clear().envs(no_wait).output();
    let text = String::from_utf8(output.expect("an output").stderr).expect("UTF-8");
    assert_eq!(text.lines().count(), 1, "{text}");
}
