//! Migrated database for each test, on one server for each test process.

use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use edgeward_companion::db::connection::Connection;
use edgeward_companion::db::{databases, schema};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, PgPool};

use edgeward_stack::{Postgres, paths, postgres};

/// Database that all others are copies of. No connection to it may be open.
const TEMPLATE: &str = "template_migrated";

/// Database of one test. It is removed with its server, when the test process ends.
pub struct Database {
    /// Address with user and password.
    pub url: String,
}

impl Database {
    /// Returns a few connections to the database.
    #[must_use]
    pub fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(10).connect_lazy_with(options(&self.url))
    }
}

/// Opens a connection to a database, for functions of the companion.
pub async fn open(url: &str) -> Connection {
    options(url).connect().await.expect("a connection").into()
}

/// Connects to another database of the server.
pub async fn connect(name: &str) -> PgConnection {
    options(&server().url(name)).connect().await.expect("a connection")
}

/// Creates a migrated, empty database.
pub async fn fresh() -> Database {
    create(TEMPLATE).await
}

/// Creates a database without a schema.
pub async fn bare() -> Database {
    // Postgres copies a template only without connections to it, and this one allows none.
    create("template0").await
}

/// Waits until `count` connections wait for a lock in a database.
pub async fn wait_for_locks(pool: &PgPool, count: i64) {
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    // The same connection each time: the pool may have no other left.
    let mut connection = pool.acquire().await.expect("a connection");
    for _ in 0..6000 {
        let waits = sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *connection).await;
        if waits.expect("a count") >= count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("no {count} connections wait for a lock");
}

async fn create(template: &str) -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = connect(databases::MAINTENANCE).await;
    let statement = format!("create database {name} template {template}");
    connection.execute(AssertSqlSafe(statement)).await.expect("a database");
    Database { url: server().url(&name) }
}

/// Returns the server, started by the first test that needs it. Statics are not dropped; the stack's reaper stops it.
fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        // A folder for each test program, so that the next run clears up after this one.
        let program = std::env::current_exe().expect("a test program");
        let name = program.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        let directory =
            paths::target().join("tmp/postgres").join(name.rsplit_once('-').unwrap_or((name, "")).0);
        postgres::erase(&directory).expect("a folder of our own");
        fs::create_dir_all(&directory).expect("a folder of our own");
        // The data of a test need not survive a power failure.
        let unsafe_but_fast =
            ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=300"];
        let postgres = Postgres::start_with(&directory, &unsafe_but_fast, &mut |line| eprintln!("{line}"))
            .expect("a Postgres server");
        let urls = [databases::MAINTENANCE, TEMPLATE].map(|name| postgres.url(name));
        // The runtime of the first test is blocked until this returns.
        std::thread::spawn(move || migrate(&urls)).join().expect("a migrated template");
        postgres
    })
}

fn migrate([maintenance, template]: &[String; 2]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = open(maintenance).await;
        databases::create(&mut connection, TEMPLATE).await.expect("a database");
        let mut connection = open(template).await;
        schema::run(&mut connection).await.expect("the migrations");
    });
}

fn options(url: &str) -> PgConnectOptions {
    url.parse().expect("the address of a database")
}
