//! Classification of database errors by their cause.

use std::io;

/// Cause of a failed attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// Goes away by itself: the server is starting, unreachable, or has no free connection.
    Temporary,
    /// The database does not exist.
    NoDatabase,
    /// A pooler rejects a start-up parameter.
    StartupParameter,
    /// Needs an operator: a wrong password, a missing permission.
    Permanent,
}

/// Classifies an error of an attempt to connect. Only [`ConnectFault::Temporary`] is worth another attempt.
#[must_use]
pub fn classify_connect(error: &sqlx::Error) -> ConnectFault {
    /// Connection exceptions, insufficient resources, and a server that starts, stops or restarts after a crash
    /// (Postgres, appendix A).
    const TEMPORARY: [&str; 5] = ["08", "53", "57P01", "57P02", "57P03"];
    match error {
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => ConnectFault::Permanent,
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => ConnectFault::Temporary,
        sqlx::Error::Database(error) => match error.code().as_deref().unwrap_or_default() {
            "3D000" => ConnectFault::NoDatabase,
            // PgBouncer reports nearly every error with this code.
            "08P01" if error.message().contains("startup parameter") => ConnectFault::StartupParameter,
            "08P01" if is_missing_database(error.message()) => ConnectFault::NoDatabase,
            "08P01" if is_rejected_user(error.message()) => ConnectFault::Permanent,
            code if TEMPORARY.iter().any(|class| code.starts_with(class)) => ConnectFault::Temporary,
            _ => ConnectFault::Permanent,
        },
        _ => ConnectFault::Permanent,
    }
}

/// Returns `true` if the database is unreachable or overloaded, so that the same request may succeed later.
#[must_use]
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    /// Connection exceptions, transaction rollbacks, insufficient resources, lock timeouts, operator intervention, and
    /// the errors that only a standby reports: writes (25006) and unlogged tables (0A000) (Postgres, appendix A).
    const UNAVAILABLE: [&str; 7] = ["08", "40", "53", "55P03", "57", "25006", "0A000"];
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| UNAVAILABLE.iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

/// Returns `true` if a connection is of no more use after the error: the server stops, or it is a standby by now and accepts
/// no writes. Such a server still responds to a ping.
#[must_use]
pub fn ends_connection(error: &sqlx::Error) -> bool {
    /// Errors of a standby, writes (25006) and unlogged tables (0A000), and of a server that stops or restarts.
    const ENDS: [&str; 5] = ["25006", "0A000", "57P01", "57P02", "57P03"];
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| ENDS.contains(&code.as_ref())),
        _ => false,
    }
}

/// Returns `true` for `PgBouncer`'s messages about a missing database, its own and those it passes on from Postgres.
fn is_missing_database(message: &str) -> bool {
    message.contains("no such database")
        || (message.contains("database ") && message.contains("does not exist"))
}

/// Returns `true` for `PgBouncer`'s messages about a user that it rejects.
fn is_rejected_user(message: &str) -> bool {
    message.contains("authentication failed") || message.contains("no such user")
}
