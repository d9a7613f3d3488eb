//! Pool of connections to Postgres, and the time limits of its use.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool};
use thiserror::Error;
use tokio::time::timeout;

use super::connect::ACQUIRE_TIMEOUT;
use super::pooled_connection::PooledConnection;
use super::pooler::{self, SHARED};
use crate::config::Database;

/// Limits on the run time of a statement and on the wait for a lock, such as that of a migration or of an abandoned
/// transaction. Set on each new connection, in one round trip, and not as start-up `options`: `PgBouncer` rejects
/// those.
const STATEMENT_LIMITS: &str = "set statement_timeout = '5s'; set lock_timeout = '5s'";

/// Idle time up to which a connection is used without a ping. Every connection is pinged when it is released; a round
/// trip before every statement would cost a good part of what a refresh does.
const MAX_UNCHECKED_IDLE: Duration = Duration::from_secs(1);

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

/// Makes a pool of at most `database.pool_size` connections, which connects as needed.
///
/// Connections have no maximum age, because connections of the same age would all be replaced at once. A lost one is
/// replaced by the request that needs it, for at most [`ACQUIRE_TIMEOUT`]: sqlx's own replacement (`min_connections`)
/// retries ever more rarely, and occupies the pool meanwhile.
#[must_use]
pub fn make(database: &Database) -> PgPool {
    PgPoolOptions::new()
        .max_connections(database.pool_size)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(set_limits(connection)))
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > MAX_UNCHECKED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(database.options.clone())
}

/// Opens all connections that the pool may have. Under load a new connection takes seconds: SCRAM has hundreds of small
/// steps, and signatures for other requests run between them.
///
/// # Errors
/// [`PoolError::Shared`] if a pooler shares the connections with others, [`PoolError::Unchecked`] if that is unknown,
/// [`PoolError::Empty`] if there is no connection, [`PoolError::NotFull`] if there are too few after 2 s.
pub async fn fill(pool: &PgPool) -> Result<(), PoolError> {
    let size = pool.options().get_max_connections();
    let mut connections = Vec::new();
    let fill = async {
        for _ in 0..size {
            connections.push(PooledConnection::acquire(pool).await?);
        }
        Ok(())
    };
    let filled = timeout(FILL_TIMEOUT, fill).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let open = connections.len();
    let checked = timeout(FILL_TIMEOUT, check_unshared(pool, connections)).await;
    let checked = checked.unwrap_or_else(|late| Err(PoolError::Unchecked(sqlx::Error::Io(late.into()))));
    match filled {
        Err(cause) if open == 0 => Err(PoolError::Empty(cause)),
        Err(cause) if checked.is_ok() => Err(PoolError::NotFull { open, size, cause }),
        _ => checked,
    }
}

/// Checks that each connection has a server connection of its own.
async fn check_unshared(pool: &PgPool, mut connections: Vec<PooledConnection>) -> Result<(), PoolError> {
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
        && let Ok(Ok(mut other)) = timeout(ACQUIRE_TIMEOUT, pool.connect_options().connect()).await
    {
        seen.extend(pooler::backend_pids(&mut other).await.ok());
    }
    match failure {
        _ if pooler::are_shared(seen) => Err(PoolError::Shared),
        Some(cause) => Err(PoolError::Unchecked(cause)),
        None => Ok(()),
    }
}

/// Sets [`STATEMENT_LIMITS`] on a connection.
async fn set_limits(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(STATEMENT_LIMITS).await?;
    Ok(())
}
