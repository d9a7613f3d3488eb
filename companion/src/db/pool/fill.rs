//! The first connections of a pool, and the check that they are not shared with others.

use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;

use super::Pool;
use crate::config::PoolerMode;
use crate::db::pooled_connection::PooledConnection;
use crate::db::pooler::{self, SHARED};

/// Maximum time that a start waits for the pool to fill, and then for the check of its connections. A server without free
/// connections is retried meanwhile.
const FILL_TIMEOUT: Duration = Duration::from_secs(2);

/// Failure to fill a pool.
#[derive(Debug, Error)]
pub enum PoolError {
    /// No connection could be made.
    #[error("no connection to the database: {0}")]
    Empty(sqlx::Error),
    /// Fewer connections could be made than the pool may have.
    #[error("connection pool not full: {open} of {size}: {cause}")]
    NotFull {
        /// Number of open connections.
        open: usize,
        /// Maximum number of connections, `DB_POOL_SIZE`.
        size: u32,
        /// Error of the first connection that could not be made.
        cause: sqlx::Error,
    },
    /// The server process of a connection is unknown.
    #[error("cannot tell whether a pooler shares the connections to the database: {0}")]
    Unchecked(sqlx::Error),
    /// Several connections have the same server connection.
    #[error("the database {SHARED}")]
    Shared,
}

/// Opens all connections that the pool may have. Under load a new connection takes seconds: SCRAM has hundreds of small
/// steps, and signatures for other requests run between them.
///
/// # Errors
/// [`PoolError::Shared`] if a pooler shares the connections with others and `DB_POOLER_MODE` does not say so,
/// [`PoolError::Unchecked`] if that is unknown, [`PoolError::Empty`] if there is no connection, [`PoolError::NotFull`]
/// if there are too few after 2 s.
pub async fn fill(pool: &Pool) -> Result<(), PoolError> {
    let size = pool.0.size;
    let mut connections = Vec::new();
    let fill = async {
        for _ in 0..size {
            connections.push(PooledConnection::acquire(pool).await?);
        }
        Ok(())
    };
    let filled = timeout(FILL_TIMEOUT, fill).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let open = connections.len();
    let checked = match pool.0.mode {
        PoolerMode::Session => timeout(FILL_TIMEOUT, check_unshared(pool, connections)).await,
        PoolerMode::Transaction => Ok(Ok(())),
    };
    let checked = checked.unwrap_or_else(|late| Err(PoolError::Unchecked(sqlx::Error::Io(late.into()))));
    match filled {
        Err(cause) if open == 0 => Err(PoolError::Empty(cause)),
        Err(cause) if checked.is_ok() => Err(PoolError::NotFull { open, size, cause }),
        _ => checked,
    }
}

/// Checks that each connection has a server connection of its own.
async fn check_unshared(pool: &Pool, mut connections: Vec<PooledConnection>) -> Result<(), PoolError> {
    let (mut seen, mut failure) = (Vec::new(), None);
    for connection in &mut connections {
        match pooler::backend_pids(connection).await {
            Ok(pids) => seen.push(pids),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    // A single connection is compared with one outside the pool, if the server has a free one.
    if let [_] = connections.as_slice()
        && let Ok((mut other, _)) = pool.0.servers.connect().await
    {
        seen.extend(pooler::backend_pids(&mut other).await.ok());
    }
    match failure {
        _ if pooler::are_shared(seen) => Err(PoolError::Shared),
        Some(cause) => Err(PoolError::Unchecked(cause)),
        None => Ok(()),
    }
}
