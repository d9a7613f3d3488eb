//! Connections for commands, and the one sentence that is said when there is none. No SQL lives here.

use anyhow::bail;
use sqlx::{ConnectOptions, PgConnection};

use crate::config::Database;
use crate::db::pool::{ACQUIRE_LIMIT, STATEMENT_LIMITS};
use crate::db::schema;

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

/// One connection to a database that has our schema, for what takes no longer than the service's own statements do.
pub(super) async fn connect_to_schema(database: &Database) -> anyhow::Result<PgConnection> {
    let options = database.options.clone().options(STATEMENT_LIMITS);
    connect_without_limits(&Database { options, ..database.clone() }).await
}

/// The same for what takes as long as it takes, and nobody waits for.
pub(super) async fn connect_without_limits(database: &Database) -> anyhow::Result<PgConnection> {
    let mut connection = connect(database).await?;
    match schema::compare(&mut connection).await? {
        None => Ok(connection),
        Some(mismatch) => Err(mismatch.into()),
    }
}
