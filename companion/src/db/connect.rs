//! Single connections to Postgres, and the wait for a server that is not up yet.

use std::fmt::Display;
use std::time::Duration;

use thiserror::Error;
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::fault::{self, ConnectFault};
use super::servers::Servers;
use crate::config::Database;

/// Maximum wait of a command or a request for a connection. The response is 503 after that.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after the first failed attempt. Each pause is twice as long as the one before, up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(100);
/// Maximum pause between two attempts. Chosen: a wait of a minute makes about 30 attempts.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// Minimum interval between two reports of a wait.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Failure to connect. `database` is the database and its server, as in messages.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The database does not exist.
    #[error("{database} does not exist; run: edgeward db create")]
    NoDatabase {
        /// Database and server.
        database: String,
    },
    /// A pooler rejects a start-up parameter.
    #[error(
        "cannot connect to {database}: {message}; if this is PgBouncer, set in pgbouncer.ini: \
         ignore_startup_parameters = extra_float_digits,options"
    )]
    StartupParameter {
        /// Database and server.
        database: String,
        /// Message of the pooler.
        message: String,
    },
    /// The server did not respond within [`ACQUIRE_TIMEOUT`].
    #[error("cannot connect to {database}: no response within {} s", ACQUIRE_TIMEOUT.as_secs())]
    TimedOut {
        /// Database and server.
        database: String,
    },
    /// The attempt failed for another reason.
    #[error("cannot connect to {database}: {message}")]
    Failed {
        /// Database and server.
        database: String,
        /// Message of the server or of the system.
        message: String,
    },
}

/// Connects to a database, by the first of its servers that is the right one. While the fault is temporary, it tries again
/// for at most `wait`, and calls `on_retry` with a message after the first failed attempt and then at most every 10 s.
///
/// # Errors
/// [`ConnectError`] of the last attempt, if its fault is permanent or `wait` is over.
pub async fn connect(
    database: &Database,
    wait: Duration,
    on_retry: &dyn Fn(&dyn Display),
) -> Result<Connection, ConnectError> {
    let (started, servers) = (Instant::now(), Servers::new(database, false));
    let (mut pause, mut reported): (_, Option<Instant>) = (MIN_PAUSE, None);
    loop {
        let error = match servers.connect().await {
            Ok((connection, _)) => return Ok(connection),
            Err(error) => error,
        };
        let is_temporary = fault::classify_connect(&error) == ConnectFault::Temporary;
        let error = ConnectError::new(database, &error);
        if !is_temporary || started.elapsed() + pause > wait {
            return Err(error);
        }
        if reported.is_none_or(|at| at.elapsed() >= REPORT_INTERVAL) {
            reported = Some(Instant::now());
            let remaining = wait.saturating_sub(started.elapsed()).as_secs();
            on_retry(&format_args!("{error}; trying again for {remaining} s (DB_WAIT_SECONDS)"));
        }
        sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

impl ConnectError {
    /// Describes an error of an attempt to connect to `database`.
    pub(super) fn new(database: &Database, error: &sqlx::Error) -> Self {
        let database = database.to_string();
        // `Display` of these two sqlx errors begins with words that the messages above have already.
        let message = match error {
            sqlx::Error::Database(error) => error.message().to_owned(),
            sqlx::Error::Io(error) => error.to_string(),
            error => error.to_string(),
        };
        match (fault::classify_connect(error), error) {
            (ConnectFault::NoDatabase, _) => Self::NoDatabase { database },
            (ConnectFault::StartupParameter, _) => Self::StartupParameter { database, message },
            (_, sqlx::Error::PoolTimedOut) => Self::TimedOut { database },
            _ => Self::Failed { database, message },
        }
    }
}
