//! Commands that need a database, run from the binary: output and exit code.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use edgeward_kit::api::{Api, mint};
use edgeward_kit::client::PASSWORD;
use edgeward_kit::command::{check, run};
use edgeward_kit::database::{self, Database};
use edgeward_kit::service::Service;
use edgeward_stack::paths;
use serde_json::{Value, json};
use sqlx::Executor as _;

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
