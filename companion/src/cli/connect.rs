//! Connections for commands, and the one sentence that is said when there is none. No SQL lives here.

use std::time::Duration;

use anyhow::bail;
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions, PgConnection, PgPool};

use crate::config::Database;
use crate::db::schema;

/// How long a request waits for a connection before it is told to come back.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);

/// One connection.
pub(super) async fn connect(database: &Database) -> anyhow::Result<PgConnection> {
    /// `invalid_catalog_name`.
    const NO_SUCH_DATABASE: &str = "3D000";
    match tokio::time::timeout(ACQUIRE_LIMIT, database.options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(NO_SUCH_DATABASE) => {
            bail!("there is no {database}; run: edgeward db create")
        }
        Ok(Err(sqlx::Error::Database(error))) => bail!("cannot connect to {database}: {}", error.message()),
        Ok(Err(sqlx::Error::Io(error))) => bail!("cannot connect to {database}: {error}"),
        Ok(Err(error)) => bail!("cannot connect to {database}: {error}"),
        Err(_) => bail!("cannot connect to {database}: no answer within {} s", ACQUIRE_LIMIT.as_secs()),
    }
}

/// One connection to a database that has our schema.
pub(super) async fn connect_to_schema(database: &Database) -> anyhow::Result<PgConnection> {
    let mut connection = connect(database).await?;
    match schema::compare(&mut connection).await? {
        None => Ok(connection),
        Some(mismatch) => Err(mismatch.into()),
    }
}

/// A pool. It connects as it needs to.
pub(super) fn pool(database: &Database) -> PgPool {
    PgPoolOptions::new()
        .max_connections(database.pool_size)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(database.options.clone())
}
