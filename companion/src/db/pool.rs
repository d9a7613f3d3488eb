//! The service's connections to Postgres, and how long it waits for anything there.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool, Postgres, Row};
use thiserror::Error;
use tokio::time::timeout;

use crate::config::Database;

/// How long a request waits for a connection before it is told to come back.
pub const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// How long Postgres works at one statement, or waits for one lock: a migration elsewhere, a forgotten transaction.
/// Set once a connection is there, in one round trip, and not as start-up `options`: those a `PgBouncer` refuses.
const STATEMENT_LIMITS: &str = "set statement_timeout = '5s'; set lock_timeout = '5s'";

/// How long a connection may have been idle that is used without a word before: one is asked how it is whenever it is
/// given back, and a round trip before every statement would cost a good part of what a refresh does.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// How long a start waits for the connections that it can do without: a server that has no more of them is asked again
/// and again.
const FILL_LIMIT: Duration = Duration::from_secs(2);

/// How long a connection that is given back may take to say that it is ready. One whose request was given up is in the
/// middle of something, and of a host that is gone nothing is ever heard: it must not keep its place in the pool. Where
/// the server was merely slow, this costs a new connection.
const RELEASE_LIMIT: Duration = Duration::from_secs(1);

/// A pool. It connects as it needs to, and keeps what it has: connections that all grow old at once would all be made
/// anew at once. One that was lost is made again by the request that needs it, which asks for as long as a request
/// may; sqlx's own care for a number of them (`min_connections`) asks less and less often, and meanwhile keeps their
/// places from requests.
#[must_use]
pub fn make(database: &Database) -> PgPool {
    PgPoolOptions::new()
        .max_connections(database.pool_size)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_LIMIT)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(set_limits(connection)))
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                // sqlx asks again, and waits for as long as the system does for a host that is gone.
                timeout(RELEASE_LIMIT, connection.ping())
                    .await
                    .map_err(|late| sqlx::Error::Io(late.into()))??;
                Ok(true)
            })
        })
        .connect_lazy_with(database.options.clone())
}

/// Fault of a pool.
#[derive(Debug, Error)]
pub enum PoolError {
    /// There is not one connection.
    #[error("there is no connection to the database: {0}")]
    Empty(sqlx::Error),
    /// There are fewer connections than there may be.
    #[error("there are {0} connections to the database, fewer than there may be: {1}")]
    Fewer(usize, sqlx::Error),
    /// A connection did not tell its server connection.
    #[error("it is unknown whether the connections to the database are shared with others: {0}")]
    Unchecked(sqlx::Error),
    /// Several connections have one server connection between them.
    #[error("the database {SHARED}")]
    Shared,
}

/// Advice where a pooler shares server connections.
pub const SHARED: &str = "is behind a pooler in transaction or statement mode, where what is set on a connection \
     and the lock of a migration end up with others, which is not supported yet; use a pooler in session mode \
     (PgBouncer: pool_mode = session), or connect to Postgres itself";

/// Makes all the connections that the pool may have. One that is made when a burst of requests needs it takes seconds:
/// SCRAM is hundreds of small steps, and between two of them the requests that have a connection are signed for.
///
/// # Errors
/// [`PoolError::Shared`] if they are not connections of our own, [`PoolError::Unchecked`] if that cannot be told; the
/// others if there are none, or fewer.
pub async fn fill(pool: &PgPool) -> Result<(), PoolError> {
    let mut connections = Vec::new();
    let fill = async {
        for _ in 0..pool.options().get_max_connections() {
            connections.push(pool.acquire().await?);
        }
        Ok(())
    };
    let filled = timeout(FILL_LIMIT, fill).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let made = connections.len();
    let checked = check_own(pool, connections).await;
    match filled {
        Err(cause) if made == 0 => Err(PoolError::Empty(cause)),
        Err(cause) if checked.is_ok() => Err(PoolError::Fewer(made, cause)),
        _ => checked,
    }
}

/// Checks that each connection has a server connection of its own.
async fn check_own(pool: &PgPool, mut connections: Vec<PoolConnection<Postgres>>) -> Result<(), PoolError> {
    let (mut seen, mut failure) = (Vec::new(), None);
    for connection in &mut connections {
        match backends(connection).await {
            Ok(backends) => seen.push(backends),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    // One alone is compared with another, if there is one to be had.
    if let [_] = connections.as_slice()
        && let Ok(Ok(mut other)) = timeout(ACQUIRE_LIMIT, pool.connect_options().connect()).await
    {
        seen.extend(backends(&mut other).await.ok());
    }
    match failure {
        _ if are_shared(seen) => Err(PoolError::Shared),
        Some(cause) => Err(PoolError::Unchecked(cause)),
        None => Ok(()),
    }
}

/// `true` if idle connections turn out to have one server connection between them, or one of them has several in turn:
/// a pooler in transaction mode lends them out anew for each statement.
pub fn are_shared(connections: impl IntoIterator<Item = [i32; 2]>) -> bool {
    let mut seen = BTreeSet::new();
    connections.into_iter().any(|[first, second]| first != second || !seen.insert(first))
}

/// The numbers of the server processes that two statements of one connection meet. As plain text: a pooler that shares
/// connections mixes up prepared statements.
///
/// # Errors
/// [`sqlx::Error::PoolTimedOut`] where no response comes: a pooler takes a login without having a server connection for it.
pub async fn backends(connection: &mut PgConnection) -> Result<[i32; 2], sqlx::Error> {
    let ask = async {
        let mut backends = [0; 2];
        for backend in &mut backends {
            *backend =
                sqlx::raw_sql("select pg_backend_pid()").fetch_one(&mut *connection).await?.try_get(0)?;
        }
        Ok(backends)
    };
    timeout(ACQUIRE_LIMIT, ask).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Limits how long Postgres works at a statement of this connection, or waits for a lock.
pub async fn set_limits(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(STATEMENT_LIMITS).await?;
    Ok(())
}

/// Cause of a connection that was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// One that goes by itself: the server is starting, out of reach, or has no connection left.
    Passing,
    /// There is no such database.
    NoDatabase,
    /// A pooler does not take a parameter that is sent at the start of a connection.
    StartupParameter,
    /// One that somebody has to mend: a wrong password, no permission.
    Lasting,
}

/// `true` if `PgBouncer` says that the database is not there, in its own words or in Postgres'.
fn is_missing(message: &str) -> bool {
    message.contains("no such database")
        || (message.contains("database ") && message.contains("does not exist"))
}

/// `true` if `PgBouncer` says that it does not let this user in.
fn is_refused(message: &str) -> bool {
    message.contains("authentication failed") || message.contains("no such user")
}

/// Tells whether it is worth trying to connect again.
#[must_use]
pub fn judge(error: &sqlx::Error) -> Fault {
    /// Connection exceptions, too many connections and other lacks of resources, and a server that starts, stops or
    /// restarts after a crash (Postgres, appendix A).
    const PASSING: [&str; 5] = ["08", "53", "57P01", "57P02", "57P03"];
    match error {
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => Fault::Lasting,
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Fault::Passing,
        sqlx::Error::Database(error) => match error.code().as_deref().unwrap_or_default() {
            "3D000" => Fault::NoDatabase,
            // PgBouncer says nearly everything with this code.
            "08P01" if error.message().contains("startup parameter") => Fault::StartupParameter,
            "08P01" if is_missing(error.message()) => Fault::NoDatabase,
            "08P01" if is_refused(error.message()) => Fault::Lasting,
            code if PASSING.iter().any(|passing| code.starts_with(passing)) => Fault::Passing,
            _ => Fault::Lasting,
        },
        _ => Fault::Lasting,
    }
}
