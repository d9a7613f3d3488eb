//! Detection of poolers that share server connections between clients, as `PgBouncer` does in transaction and statement
//! mode.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::Row as _;
use thiserror::Error;
use tokio::time::timeout;

use super::connect::{ACQUIRE_TIMEOUT, ConnectError, connect};
use super::connection::Connection;
use crate::config::{Database, PoolerMode};

/// Second part of the message about a pooler that shares connections, after the name of the database.
pub(super) const SHARED: &str = "is behind a pooler in transaction or statement mode, so that session settings and the lock \
     of a migration would reach other clients; set DB_POOLER_MODE=transaction and, for migrations, \
     MIGRATION_DATABASE_URL to a direct connection; or use session mode (PgBouncer: pool_mode = session)";

/// Rejection of a connection that is not known to be ours alone.
#[derive(Debug, Error)]
pub enum PoolerError {
    /// A pooler shares the server connection with others.
    #[error("{database} {SHARED}")]
    Shared {
        /// Database and server.
        database: String,
    },
    /// There is only a connection through a pooler that is in transaction mode.
    #[error(
        "{database} is reached through a pooler in transaction mode (DB_POOLER_MODE), and this needs a session of its own; \
         set MIGRATION_DATABASE_URL to a direct connection"
    )]
    NoSession {
        /// Database and server.
        database: String,
    },
    /// The server process of the connection is unknown.
    #[error(transparent)]
    Unchecked(#[from] ConnectError),
}

/// Requires that a connection to the database is a session of its own, as migrations, temporary tables and `create database`
/// need.
///
/// # Errors
/// [`PoolerError::NoSession`] if it is not.
pub fn require_session(database: &Database) -> Result<(), PoolerError> {
    match database.pooler_mode {
        PoolerMode::Session => Ok(()),
        PoolerMode::Transaction => Err(PoolerError::NoSession { database: database.to_string() }),
    }
}

/// Process IDs of the Postgres servers that ran two successive statements of one connection.
pub type BackendPids = [i32; 2];

/// Checks that a connection is not shared with others, by comparing it with a second one. If `DB_POOLER_MODE` says that it
/// is, there is nothing to check.
///
/// # Errors
/// [`PoolerError::Shared`] if a pooler shares it, [`PoolerError::Unchecked`] if the query fails.
pub async fn require_unshared(database: &Database, connection: &mut Connection) -> Result<(), PoolerError> {
    if database.pooler_mode == PoolerMode::Transaction {
        return Ok(());
    }
    let first = backend_pids(connection).await.map_err(|error| ConnectError::new(database, &error))?;
    // A server or pooler without a second free connection is checked by the first one.
    let second = match connect(database, Duration::ZERO, &|_| {}).await {
        Ok(mut second) => backend_pids(&mut second).await.ok(),
        Err(_) => None,
    };
    if are_shared([Some(first), second].into_iter().flatten()) {
        return Err(PoolerError::Shared { database: database.to_string() });
    }
    Ok(())
}

/// Returns `true` if two idle connections have the same server process, or one connection has several in turn: a pooler
/// in transaction mode assigns one for each statement.
pub(super) fn are_shared(connections: impl IntoIterator<Item = BackendPids>) -> bool {
    let mut seen = BTreeSet::new();
    connections.into_iter().any(|[first, second]| first != second || !seen.insert(first))
}

/// Queries the server process of a connection twice. The queries are plain text: a pooler that shares connections mixes
/// up prepared statements.
///
/// # Errors
/// [`sqlx::Error::PoolTimedOut`] if there is no response within [`ACQUIRE_TIMEOUT`]: a pooler accepts a login before it
/// has a server connection for it. Any other [`sqlx::Error`] if a query fails.
pub(super) async fn backend_pids(connection: &mut Connection) -> Result<BackendPids, sqlx::Error> {
    let query = async {
        let mut pids = [0; 2];
        for pid in &mut pids {
            *pid = sqlx::raw_sql("select pg_backend_pid()").fetch_one(&mut *connection).await?.try_get(0)?;
        }
        Ok(pids)
    };
    timeout(ACQUIRE_TIMEOUT, query).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
