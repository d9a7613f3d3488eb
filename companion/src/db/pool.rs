//! The service's connections to Postgres, and how long it waits for anything there.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgPool};
use tokio::time::timeout;

use crate::config::Database;

/// How long a request waits for a connection before it is told to come back.
pub const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// How long Postgres works at one statement, or waits for one lock: a migration elsewhere, a forgotten transaction.
pub const STATEMENT_LIMITS: [(&str, &str); 2] = [("statement_timeout", "5s"), ("lock_timeout", "5s")];

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
        .connect_lazy_with(database.options.clone().options(STATEMENT_LIMITS))
}

/// Makes all the connections that the pool may have. One that is made when a burst of requests needs it takes seconds:
/// SCRAM is hundreds of small steps, and between two of them the requests that have a connection are signed for.
pub async fn fill(pool: &PgPool) -> Result<(), sqlx::Error> {
    let fill = async {
        let mut connections = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            connections.push(pool.acquire().await?);
        }
        Ok(())
    };
    timeout(FILL_LIMIT, fill).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
