//! Connections for commands, and the context of their use cases.

use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::warn;
use crate::clock::Clock;
use crate::config::{Database, Log, Reader, Section};
use crate::db::connection::Connection;
use crate::db::pool::Pool;
use crate::db::{connect, pooler, schema};
use crate::domain::caller::Caller;
use crate::domain::edge::revocation::MAX_ACCESS_TTL;
use crate::domain::mail::MailKinds;
use crate::service::Context;
use crate::service::mail::Mailing;
use crate::telemetry::metrics::Metrics;

/// Settings of commands that need nothing but a database.
pub(super) struct Settings {
    pub(super) database: Database,
    pub(super) log: Log,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, log) = (Database::read(reader), Log::read(reader));
        Some(Self { database: database?, log: log? })
    }
}

/// Connects to any database of the server, without time limits for statements. Waits up to `DB_WAIT_SECONDS` for a
/// server that is not up yet.
pub(super) async fn connect(database: &Database) -> anyhow::Result<Connection> {
    Ok(connect::connect(database, database.wait, &warn).await?)
}

/// Connects to a database in order to change its schema. A pooler that shares connections is rejected: the lock that
/// keeps two migrations apart would stay with another client.
pub(super) async fn connect_to_migrate(database: &Database) -> anyhow::Result<Connection> {
    let database = database.direct();
    pooler::require_session(&database)?;
    let mut connection = connect(&database).await?;
    pooler::require_unshared(&database, &mut connection).await?;
    Ok(connection)
}

/// Opens the context of a command's use case, on a database that has our schema. It does not wait for a server that is
/// not up yet: a person can repeat the command.
pub(super) async fn open(database: &Database, clock: Arc<dyn Clock>) -> anyhow::Result<Context> {
    let database = &database.direct();
    let mut connection = connect::connect(database, Duration::ZERO, &warn).await?;
    // First, because session settings on a shared connection would reach other clients.
    pooler::require_unshared(database, &mut connection).await?;
    require_schema(&mut connection).await?;
    // A pooler may allow a single connection.
    connection.close().await.ok();
    Ok(Context {
        db: Pool::new(&database.with_pool_size(1)),
        clock,
        // Never scraped: a running service counts the events of commands.
        metrics: Arc::new(Metrics::new()),
        access_ttl: MAX_ACCESS_TTL,
        mail: Arc::new(Mailing::of_commands(MailKinds::default())),
        caller: Caller::COMMAND_LINE,
        request_span: Span::none(),
    })
}

/// Requires that the database has the schema of this version.
pub(super) async fn require_schema(connection: &mut Connection) -> anyhow::Result<()> {
    match schema::compare(connection).await? {
        None => Ok(()),
        Some(mismatch) => Err(mismatch.into()),
    }
}
