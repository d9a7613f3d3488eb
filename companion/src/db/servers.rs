//! The servers of a database, and the search for the one that accepts writes.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::connect::ACQUIRE_TIMEOUT;
use super::connection::{Connection, STATEMENT_LIMITS};
use super::fault::{self, ConnectFault};
use crate::config::{Database, PoolerMode, TargetSessionAttrs, place};

/// Maximum time of one attempt if there are several servers. Chosen: a host that is gone does not respond at all, and its
/// successor should be found within the time that requests wait.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum time of a search, in which a server that is not writable yet is asked again.
const SEARCH_TIME: Duration = Duration::from_secs(2);
/// Pause between two attempts of a search to connect to the same server.
const SEARCH_PAUSE: Duration = Duration::from_millis(200);

/// Error of a connection to a server that does not accept writes.
const NOT_WRITABLE: &str = "the server accepts no writes: it is a standby, or read-only";

/// Error of a connection that was closed before its first byte.
const CLOSED_AT_ONCE: &str = "the connection was accepted and closed at once: the server stops, or a proxy has no server to pass it on to";

/// Servers of one database. One of them is the current one: it was the right one when last connected to.
pub(super) struct Servers {
    list: Vec<PgConnectOptions>,
    target: TargetSessionAttrs,
    mode: PoolerMode,
    has_limits: bool,
    current: AtomicUsize,
    /// Held by the one search at a time.
    search: Mutex<()>,
}

impl Servers {
    /// Returns the servers of a database. Statements of the connections have time limits if `has_limits`.
    pub(super) fn new(database: &Database, has_limits: bool) -> Self {
        Self {
            list: database.servers.clone(),
            target: database.target,
            mode: database.pooler_mode,
            has_limits,
            current: AtomicUsize::new(0),
            search: Mutex::new(()),
        }
    }

    /// Returns the index of the current server.
    pub(super) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Connects to the current server, or else to the first of all that is the right one within 2 s. Returns the connection
    /// with the index of its server.
    ///
    /// # Errors
    /// [`sqlx::Error`] of the last attempt; one that needs an operator, if there is any.
    pub(super) async fn connect(&self) -> Result<(Connection, usize), sqlx::Error> {
        let tried = self.current();
        let error = match self.attempt(tried).await {
            Ok(connection) => return Ok((connection, tried)),
            Err(error) => error,
        };
        if self.list.len() == 1 {
            return Err(error);
        }
        let _one_at_a_time = self.search.lock().await;
        // Another search has ended meanwhile.
        let current = self.current();
        if current != tried
            && let Ok(connection) = self.attempt(current).await
        {
            return Ok((connection, current));
        }
        self.search_all().await
    }

    async fn search_all(&self) -> Result<(Connection, usize), sqlx::Error> {
        let end = Instant::now() + SEARCH_TIME;
        let mut searches: FuturesUnordered<_> =
            (0..self.list.len()).map(|index| self.attempt_until(index, end)).collect();
        let mut failure: Option<sqlx::Error> = None;
        while let Some((index, attempted)) = searches.next().await {
            match attempted {
                Ok(connection) => {
                    if self.current.swap(index, Ordering::Relaxed) != index {
                        let server = self.list.get(index).map(place);
                        tracing::info!(server, "another database server is the one to write to");
                    }
                    return Ok((connection, index));
                }
                Err(error) if failure.as_ref().is_none_or(is_temporary) => failure = Some(error),
                Err(_) => {}
            }
        }
        Err(failure.unwrap_or(sqlx::Error::PoolTimedOut))
    }

    /// Tries one server again and again, until it is the right one, needs an operator, or time is over.
    async fn attempt_until(&self, index: usize, end: Instant) -> (usize, Result<Connection, sqlx::Error>) {
        loop {
            match self.attempt(index).await {
                Err(error) if is_temporary(&error) && Instant::now() + SEARCH_PAUSE < end => {
                    sleep(SEARCH_PAUSE).await;
                }
                attempted => return (index, attempted),
            }
        }
    }

    /// Connects to one server, and closes the connection if it is not the right one.
    async fn attempt(&self, index: usize) -> Result<Connection, sqlx::Error> {
        let limit = if self.list.len() == 1 { ACQUIRE_TIMEOUT } else { ATTEMPT_TIMEOUT };
        let Some(options) = self.list.get(index) else { return Err(sqlx::Error::PoolTimedOut) };
        let connect = async {
            let mut raw = options.connect().await.map_err(recognize_end)?;
            // In one round trip, and not as start-up `options`: `PgBouncer` rejects those.
            if let Some(statements) = self.first_statements() {
                let row = sqlx::raw_sql(statements).fetch_one(&mut raw).await?;
                if row.try_get(0)? {
                    return Err(sqlx::Error::Io(io::Error::other(NOT_WRITABLE)));
                }
            }
            Ok(Connection::new(raw, self.mode))
        };
        timeout(limit, connect).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Returns the statements that begin a connection. The result is `true` if the server is not the right one.
    fn first_statements(&self) -> Option<sqlx::AssertSqlSafe<String>> {
        let check = match self.target {
            TargetSessionAttrs::Any => "select false",
            TargetSessionAttrs::ReadWrite => "select current_setting('transaction_read_only')::boolean",
            TargetSessionAttrs::Primary => "select pg_is_in_recovery()",
        };
        // A pooler in transaction mode gives the session to others.
        let has_limits = self.has_limits && self.mode == PoolerMode::Session;
        match (has_limits, self.target) {
            (false, TargetSessionAttrs::Any) => None,
            (false, _) => Some(sqlx::AssertSqlSafe(check.to_owned())),
            (true, _) => Some(sqlx::AssertSqlSafe(format!("{STATEMENT_LIMITS}; {check}"))),
        }
    }
}

fn is_temporary(error: &sqlx::Error) -> bool {
    fault::classify_connect(error) == ConnectFault::Temporary
}

/// Returns the end of a stream as such. sqlx 0.9 does not notice it in place of the response to `SSLRequest`, and reports that
/// as a zero byte (`request_upgrade` in its `connection/tls.rs`).
fn recognize_end(error: sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::Protocol(message) if message.contains("SSLRequest: 0x00") => {
            sqlx::Error::Io(io::Error::new(io::ErrorKind::UnexpectedEof, CLOSED_AT_ONCE))
        }
        error => error,
    }
}
