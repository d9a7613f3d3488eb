//! Pool of connections: which server it connects to, and which connections it does not keep.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use edgeward_companion::config::{self, Database};
use edgeward_companion::db::pooled_connection::PooledConnection;
use edgeward_companion::service::Pool;
use edgeward_kit::database;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::io::AsyncReadExt as _;

/// Reads the settings of a database, whose pool has one connection.
fn read(url: &str) -> Database {
    let settings = [("DATABASE_URL", url), ("DB_POOL_SIZE", "1")];
    let settings: BTreeMap<String, String> =
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    config::read(&settings).expect("settings without mistakes")
}

/// Inserts a row, and returns the number of the server process that did.
async fn write(connection: &mut PooledConnection) -> Result<i32, sqlx::Error> {
    sqlx::query("insert into revocations (session_id, expires_at) values (1, now())")
        .execute(&mut **connection)
        .await?;
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut **connection).await
}

/// Returns the connection to the pool, and waits until it is there or closed.
async fn give_back(pool: &Pool, connection: PooledConnection) {
    drop(connection);
    for _ in 0..2000 {
        if pool.num_idle() == 1 || pool.size() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the connection has not come back");
}

#[tokio::test]
async fn server_is_found_among_others_that_refuse_or_are_silent() {
    let database = database::fresh().await;
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let refused = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let (before, after) = database.url.split_once('@').expect("a user");
    let silent = silent.local_addr().expect("an address");
    for order in [format!("{refused},{silent},"), format!("{silent},{refused},")] {
        let pool = Pool::new(&read(&format!("{before}@{order}{after}")));
        let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
        write(&mut connection).await.expect("a row");
    }
}

#[tokio::test]
async fn proxy_that_closes_connections_is_asked_again() {
    // As HAProxy does while no server is the primary.
    let database = database::fresh().await;
    let (before, address) = database.url.split_once('@').expect("a user");
    let (server, name) = address.split_once('/').expect("a name");
    let (server, listener) =
        (server.to_owned(), tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port"));
    let proxy = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        for _ in 0..3 {
            let (mut client, _) = listener.accept().await.expect("a connection");
            // The first message has 8 bytes. With unread ones, the system would reset the connection.
            client.read_exact(&mut [0; 8]).await.expect("a message");
        }
        let (mut client, _) = listener.accept().await.expect("a connection");
        let mut server = tokio::net::TcpStream::connect(server).await.expect("a server");
        tokio::io::copy_bidirectional(&mut client, &mut server).await
    });
    let pool = Pool::new(&read(&format!("{before}@{proxy}/{name}")));
    let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
    write(&mut connection).await.expect("a row");
}

#[tokio::test]
async fn connection_that_may_not_write_is_not_kept() {
    let database = database::fresh().await;
    let pool = Pool::new(&read(&database.url));
    let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
    let first = write(&mut connection).await.expect("a row");
    give_back(&pool, connection).await;

    let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
    assert_eq!(write(&mut connection).await.expect("a row"), first, "it is used again");
    connection.execute("set default_transaction_read_only = on").await.expect("a setting");
    let refused = write(&mut connection).await.expect_err("a read-only session");
    let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("25006"));
    give_back(&pool, connection).await;
    assert_eq!(pool.size(), 0);

    let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
    assert_ne!(write(&mut connection).await.expect("a row"), first);
}

#[tokio::test]
async fn read_only_server_is_not_connected_to() {
    let database = database::fresh().await;
    let name = database.url.rsplit('/').next().expect("a name");
    let read_only = format!("alter database {name} set default_transaction_read_only = on");
    database.pool().execute(AssertSqlSafe(read_only)).await.expect("a default");
    let pool = Pool::new(&read(&database.url));
    assert!(matches!(PooledConnection::acquire(&pool).await.err(), Some(sqlx::Error::PoolTimedOut)));

    let pool = Pool::new(&read(&format!("{}?target_session_attrs=any", database.url)));
    let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
    assert!(write(&mut connection).await.is_err());
}

#[tokio::test]
async fn old_connection_is_replaced_when_it_comes_back() {
    let database = database::fresh().await;
    let pool = Pool::new(&read(&database.url));
    let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
    let first = write(&mut connection).await.expect("a row");
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(37)).await;
    tokio::time::resume();
    give_back(&pool, connection).await;
    assert_eq!(pool.num_idle(), 1, "the next request need not connect");
    let mut connection = PooledConnection::acquire(&pool).await.expect("a connection");
    assert_ne!(write(&mut connection).await.expect("a row"), first);
}
