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

/// How long a connection that is given back may take to say that it is ready. One whose request was given up is in the
/// middle of something, and of a host that is gone nothing is ever heard: it must not keep its place in the pool.
const RELEASE_LIMIT: Duration = Duration::from_secs(3);

/// A pool. It connects as it needs to.
#[must_use]
pub fn make(database: &Database) -> PgPool {
    PgPoolOptions::new()
        .max_connections(database.pool_size)
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
                timeout(RELEASE_LIMIT, connection.ping()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                Ok(true)
            })
        })
        .connect_lazy_with(database.options.clone().options(STATEMENT_LIMITS))
}
