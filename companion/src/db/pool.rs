//! The service's connections to Postgres, and how long it waits for anything there.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::config::Database;

/// How long a request waits for a connection before it is told to come back.
pub const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// How long Postgres works at one statement, or waits for one lock: a migration elsewhere, a forgotten transaction.
const STATEMENT_LIMITS: [(&str, &str); 2] = [("statement_timeout", "5s"), ("lock_timeout", "5s")];

/// A pool. It connects as it needs to.
#[must_use]
pub fn make(database: &Database) -> PgPool {
    PgPoolOptions::new()
        .max_connections(database.pool_size)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(database.options.clone().options(STATEMENT_LIMITS))
}
