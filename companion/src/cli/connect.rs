//! Connections for commands: waiting for a server that is not up yet, and the sentence that is said when there is
//! none. No SQL lives here.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use sqlx::{ConnectOptions, Connection as _, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::warn;
use crate::clock::Clock;
use crate::config::Database;
use crate::db::pool::{self, ACQUIRE_LIMIT, Fault};
use crate::db::schema;
use crate::domain::caller::Caller;
use crate::domain::edge::revocation::MAX_ACCESS_TTL;
use crate::service::Context;
use crate::telemetry::metrics::Metrics;

/// Pauses between two attempts: the first, and the longest, which a start that waits for a minute makes 30 times.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Interval between two lines that say what is waited for.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// One connection. `wait`: for how long a server is waited for that is not up yet.
async fn connect_within(database: &Database, wait: Duration) -> anyhow::Result<PgConnection> {
    wait_until_up(database, wait, &|told| warn(told)).await
}

/// One connection, once the server takes one: tries again and again while the reason is one that waiting can mend,
/// and tells it now and then.
pub(super) async fn wait_until_up(
    database: &Database,
    wait: Duration,
    tell: &dyn Fn(&dyn Display),
) -> anyhow::Result<PgConnection> {
    let started = Instant::now();
    let (mut pause, mut told): (_, Option<Instant>) = (PAUSES.0, None);
    loop {
        let error = match timeout(ACQUIRE_LIMIT, database.options.connect()).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::PoolTimedOut,
        };
        let fault = pool::judge(&error);
        let cause = explain(database, &error, fault);
        if fault != Fault::Passing || started.elapsed() + pause > wait {
            return Err(cause);
        }
        if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            told = Some(Instant::now());
            let left = wait.saturating_sub(started.elapsed()).as_secs();
            tell(&format_args!("{cause}; trying again for {left} s (DB_WAIT_SECONDS)"));
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn explain(database: &Database, error: &sqlx::Error, fault: Fault) -> anyhow::Error {
    match (fault, error) {
        (Fault::NoDatabase, _) => anyhow!("there is no {database}; run: edgeward db create"),
        (Fault::StartupParameter, sqlx::Error::Database(error)) => anyhow!(
            "cannot connect to {database}: {}; if a PgBouncer is there, set in its pgbouncer.ini: \
             ignore_startup_parameters = extra_float_digits,options",
            error.message()
        ),
        (_, sqlx::Error::Database(error)) => anyhow!("cannot connect to {database}: {}", error.message()),
        (_, sqlx::Error::PoolTimedOut) => {
            anyhow!("cannot connect to {database}: no answer within {} s", ACQUIRE_LIMIT.as_secs())
        }
        (_, sqlx::Error::Io(error)) => anyhow!("cannot connect to {database}: {error}"),
        (_, error) => anyhow!("cannot connect to {database}: {error}"),
    }
}

/// One connection without limits, to any database of the server, which may still be starting.
pub(super) async fn connect(database: &Database) -> anyhow::Result<PgConnection> {
    connect_within(database, database.wait).await
}

/// The same to a database whose schema is to be changed: never through a pooler that shares connections, where the
/// lock that keeps two migrations apart would stay with somebody else.
pub(super) async fn connect_to_migrate(database: &Database) -> anyhow::Result<PgConnection> {
    let mut connection = connect(database).await?;
    refuse_shared(database, &mut connection).await?;
    Ok(connection)
}

/// Fails if the connection is not ours alone.
pub(super) async fn refuse_shared(database: &Database, connection: &mut PgConnection) -> anyhow::Result<()> {
    let first =
        pool::backends(connection).await.map_err(|error| explain(database, &error, Fault::Lasting))?;
    // A server, or a pooler, that has no second connection to give is asked on one.
    let second = match connect_within(database, Duration::ZERO).await {
        Ok(mut second) => pool::backends(&mut second).await.ok(),
        Err(_) => None,
    };
    if pool::are_shared([Some(first), second].into_iter().flatten()) {
        bail!("{database} {}", pool::SHARED);
    }
    Ok(())
}

/// Context of a command's use case, on a database that has our schema. It does not wait for the server: a person does.
pub(super) async fn open(database: &Database, clock: Arc<dyn Clock>) -> anyhow::Result<Context> {
    let mut connection = connect_within(database, Duration::ZERO).await?;
    // First, for what is set on a connection that is not ours alone stays with others.
    refuse_shared(database, &mut connection).await?;
    require_schema(&mut connection).await?;
    // A pooler may have no more for us than one.
    connection.close().await.ok();
    Ok(Context {
        db: pool::make(&Database { pool_size: 1, ..database.clone() }),
        clock,
        // Nobody reads them: a running service counts what a command did.
        metrics: Arc::new(Metrics::new()),
        access_ttl: MAX_ACCESS_TTL,
        caller: Caller::COMMAND_LINE,
    })
}

/// Fails unless the database has the schema of this version.
pub(super) async fn require_schema(connection: &mut PgConnection) -> anyhow::Result<()> {
    match schema::compare(connection).await? {
        None => Ok(()),
        Some(mismatch) => Err(mismatch.into()),
    }
}
