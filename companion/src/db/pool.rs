//! The service's connections to Postgres, and how long it waits for anything there.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgPool};

use crate::config::Database;

/// How long a request waits for a connection before it is told to come back.
pub const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// How long Postgres works at one statement, or waits for one lock: a migration elsewhere, a forgotten transaction.
pub const STATEMENT_LIMITS: [(&str, &str); 2] = [("statement_timeout", "5s"), ("lock_timeout", "5s")];

/// How long a connection may have been idle that is used without a word before: one is asked how it is whenever it is
/// given back, and a round trip before every statement would cost a good part of what a refresh does.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

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
        .connect_lazy_with(database.options.clone().options(STATEMENT_LIMITS))
}
