//! Companion behind a `PgBouncer`: both modes work, and an undeclared transaction mode fails at once with the remedy.
//!
//! The tests need `pgbouncer` in `PATH` (Debian: `apt-get install pgbouncer`). Without it they print that and pass. Run them by
//! `cargo xtask test --test pgbouncer -- --ignored`.

use std::fs;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use edgeward_kit::api::mint;
use edgeward_kit::client::{Client, PASSWORD};
use edgeward_kit::command::run;
use edgeward_kit::database::{self, Database};
use edgeward_kit::service::{Service, edgeward};
use edgeward_stack::{ports, wait};

/// `true` if there is no `pgbouncer` in `PATH`. Prints that on standard error, which the test harness does not capture.
fn is_pooler_missing() -> bool {
    let version = Command::new("pgbouncer").arg("--version").output();
    let is_missing = version.is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if is_missing {
        writeln!(io::stderr(), "not tested: pgbouncer is not in PATH; run: apt-get install pgbouncer").ok();
    }
    is_missing
}

/// Running `PgBouncer`, killed when dropped.
struct Pooler {
    child: Child,
    /// Database, through the pooler.
    database: Database,
}

impl Pooler {
    fn start(folder: &Path, database: &Database, mode: &str, settings: &str) -> Self {
        let (credentials, server) =
            database.url.split_once("://").expect("a URL").1.split_once('@').expect("a user");
        let (user, password) = credentials.split_once(':').expect("a password");
        let (address, name) = server.split_once('/').expect("a database");
        let (host, server_port) = address.split_once(':').expect("a port");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let (port, users) = (free.port(), folder.join("users"));
        fs::write(&users, format!("\"{user}\" \"{password}\"\n")).expect("a file");
        let lines = format!(
            "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\npool_mode = {mode}\nauth_type = plain\nauth_file = {}\n{settings}\n",
            users.display()
        );
        let path = folder.join("pgbouncer.ini");
        fs::write(&path, lines).expect("a file");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a folder for all");
        let mut command = Command::new("pgbouncer");
        command.arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        if nix::unistd::geteuid().is_root() {
            // It does not run as root.
            command.uid(65534).gid(65534);
        }
        let child = command.spawn().expect("pgbouncer");
        let url = format!("postgres://{credentials}@127.0.0.1:{port}/{name}");
        let pooler = Self { child, database: Database { url } };
        let is_open = || Ok(ports::is_open(port).then_some(()));
        wait::until("PgBouncer", Duration::from_secs(10), is_open).expect("PgBouncer");
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn run_command(url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(url, arguments, &format!("{PASSWORD}\n"));
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    (output.status.code(), text)
}

#[tokio::test]
#[ignore = "needs pgbouncer on the machine"]
async fn service_and_commands_work_behind_a_pooler_in_session_mode() {
    if is_pooler_missing() {
        return;
    }
    for settings in ["", "ignore_startup_parameters = extra_float_digits,options"] {
        let folder = tempfile::tempdir().expect("a folder");
        let pooler = Pooler::start(folder.path(), &database::bare().await, "session", settings);
        let url = &pooler.database.url;
        assert_eq!(run_command(url, &["migrate", "run"]).0, Some(0));
        let keys = tempfile::tempdir().expect("a folder");
        fs::write(keys.path().join("private.pem"), mint().private_pem()).expect("a key");
        let service = Service::start(&pooler.database, keys.path());
        let status = async |path: &str| {
            reqwest::get(format!("http://{}{path}", service.internal))
                .await
                .expect("a response")
                .status()
                .as_u16()
        };
        assert_eq!((status("/readyz").await, status("/internal/edge-feed").await), (200, 200));
        drop(service);
        let create = ["user", "create", "a@example.com", "--first-name", "A", "--last-name", "B"];
        assert_eq!(run_command(url, &create).0, Some(0));
    }
}

#[tokio::test]
#[ignore = "needs pgbouncer on the machine"]
async fn pooler_in_transaction_mode_is_named_at_once() {
    if is_pooler_missing() {
        return;
    }
    for mode in ["transaction", "statement"] {
        let folder = tempfile::tempdir().expect("a folder");
        let pooler = Pooler::start(folder.path(), &database::fresh().await, mode, "");
        for command in [&["migrate", "run"][..], &["user", "list"]] {
            let (code, text) = run_command(&pooler.database.url, command);
            let is_named =
                text.contains("pool_mode = session") && text.contains("DB_POOLER_MODE=transaction");
            assert_eq!((code, is_named), (Some(1), true), "{mode}: {text}");
        }
    }
}

#[tokio::test]
#[ignore = "needs pgbouncer on the machine"]
async fn service_works_behind_a_pooler_in_transaction_mode() {
    if is_pooler_missing() {
        return;
    }
    let (folder, database) = (tempfile::tempdir().expect("a folder"), database::bare().await);
    // Fewer servers than the companion has connections, so that each transaction may have another one.
    let pooler = Pooler::start(folder.path(), &database, "transaction", "default_pool_size = 3");
    let keys = tempfile::tempdir().expect("a folder");
    fs::write(keys.path().join("private.pem"), mint().private_pem()).expect("a key");
    let transaction = ("DB_POOLER_MODE", "transaction");
    let with_settings = |settings: &[(&str, &str)], arguments: &[&str]| {
        let mut command = edgeward(keys.path());
        command.env("DATABASE_URL", &pooler.database.url).envs(settings.iter().copied()).args(arguments);
        let output = command.output().expect("a command");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let direct = ("MIGRATION_DATABASE_URL", database.url.as_str());
    let (code, text) = with_settings(&[transaction], &["migrate", "run"]);
    assert_eq!((code, text.contains("set MIGRATION_DATABASE_URL")), (Some(1), true), "{text}");
    assert_eq!(with_settings(&[transaction, direct], &["migrate", "run"]).0, Some(0));

    let service = Service::start_with(&pooler.database, keys.path(), &[transaction]);
    let users = (0..12).map(|number| {
        let mut client = Client::new(service.public.clone(), reqwest::Client::new());
        tokio::spawn(async move {
            let email = format!("user{number}@example.com");
            assert_eq!(client.register(&email).await.status, 201);
            for _ in 0..5 {
                let mut tab = client.clone();
                let (one, two) = tokio::join!(client.refresh(), tab.refresh());
                assert_eq!((one.status, two.status), (200, 200), "{one} {two}");
                assert_eq!(client.get("/api/auth/self").await.status, 200);
            }
            let before = client.clone();
            assert_eq!(client.logout().await.status, 200);
            assert_eq!(before.clone().refresh().await.status, 401);
            assert_eq!(client.login(&email, PASSWORD).await.status, 200);
        })
    });
    for user in users.collect::<Vec<_>>() {
        user.await.expect("a user without a failure");
    }
    let feed =
        reqwest::get(format!("http://{}/internal/edge-feed", service.internal)).await.expect("a response");
    assert_eq!(feed.status().as_u16(), 200);
    assert_eq!(with_settings(&[transaction], &["user", "set-role", "user1@example.com", "admin"]).0, Some(0));
}

/// Returns the number of refreshes and of reads of the current user in two seconds each, by eight clients.
async fn throughput(service: &Service, name: &str) -> [u32; 2] {
    let mut counts = [0; 2];
    for (operation, count) in counts.iter_mut().enumerate() {
        let users = (0..8).map(|number| {
            let mut client = Client::new(service.public.clone(), reqwest::Client::new());
            let email = format!("{name}-{operation}-{number}@example.com");
            tokio::spawn(async move {
                assert_eq!(client.register(&email).await.status, 201);
                let (started, mut done) = (Instant::now(), 0);
                while started.elapsed() < Duration::from_secs(2) {
                    let response = match operation {
                        0 => client.refresh().await,
                        _ => client.get("/api/auth/self").await,
                    };
                    assert_eq!(response.status, 200);
                    done += 1;
                }
                done
            })
        });
        for user in users.collect::<Vec<_>>() {
            *count += user.await.expect("a user without a failure");
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures for a minute, and needs pgbouncer on the machine"]
async fn throughput_of_each_mode_is_printed() {
    if is_pooler_missing() {
        return;
    }
    let keys = tempfile::tempdir().expect("a folder");
    fs::write(keys.path().join("private.pem"), mint().private_pem()).expect("a key");
    let database = database::fresh().await;
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let poolers = [("session", 0), ("transaction", 1)]
        .map(|(mode, at)| Pooler::start(folders[at].path(), &database, mode, "default_pool_size = 20"));
    let services = [
        ("direct", Service::start(&database, keys.path())),
        ("session", Service::start(&poolers[0].database, keys.path())),
        (
            "transaction",
            Service::start_with(&poolers[1].database, keys.path(), &[("DB_POOLER_MODE", "transaction")]),
        ),
    ];
    for round in 0..3 {
        let mut direct = None;
        for (name, service) in &services {
            let counts = throughput(service, &format!("{name}{round}")).await;
            let base = *direct.get_or_insert(counts);
            let [refresh, current] = [0, 1].map(|at| f64::from(counts[at]) / f64::from(base[at]));
            println!("round {round}, {name}: {counts:?} in 2 s; refresh × {refresh:.2}, self × {current:.2}");
        }
    }
}
