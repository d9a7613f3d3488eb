//! A migrated database of a test's own, on one server a test process; never what a test keeps in it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use edgeward_companion::db::{databases, schema};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgPool};
use tempfile::TempDir;

use crate::stack::Postgres;

/// The database that all others are copies of. Nobody may be connected to it.
const TEMPLATE: &str = "template_migrated";

struct Server {
    postgres: Postgres,
    /// Where its data are, for as long as it runs.
    _directory: TempDir,
}

/// A database that nobody else uses. It goes with its server, when the test process ends.
pub struct Database {
    /// How to reach it.
    pub url: String,
}

impl Database {
    /// A few connections to it.
    #[must_use]
    pub fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(10).connect_lazy_with(options(&self.url))
    }
}

/// A migrated, empty database.
pub async fn fresh() -> Database {
    create(Some(TEMPLATE)).await
}

/// A database without a schema.
pub async fn bare() -> Database {
    create(None).await
}

async fn create(template: Option<&str>) -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let server = server();
    let template = template.map(|template| format!(" template {template}")).unwrap_or_default();
    let mut connection = options(&server.postgres.url("postgres")).connect().await.expect("a connection");
    let statement = format!("create database {name}{template}");
    connection.execute(AssertSqlSafe(statement)).await.expect("a database");
    Database { url: server.postgres.url(&name) }
}

/// The server, started by the first test that asks. Statics are not dropped; the stack's reaper stops it.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary folder");
        // What a test writes need not survive a power cut.
        let unsafe_but_fast =
            ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=300"];
        let postgres =
            Postgres::start_with(directory.path(), &unsafe_but_fast, &mut |line| eprintln!("{line}"))
                .expect("a Postgres server");
        let url = postgres.url(TEMPLATE);
        // The first test's runtime is busy waiting for us.
        std::thread::spawn(move || migrate(&url)).join().expect("a migrated template");
        Server { postgres, _directory: directory }
    })
}

fn migrate(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options = options(url);
        databases::create(&options).await.expect("a database");
        let mut connection = options.connect().await.expect("a connection");
        schema::run(&mut connection).await.expect("the migrations");
    });
}

fn options(url: &str) -> PgConnectOptions {
    url.parse().expect("the address of a database")
}
