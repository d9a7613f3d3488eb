//! SQL that creates and drops whole databases, for the command line and for tests.

use sqlx::{AssertSqlSafe, Executor};

use crate::db::connection::Connection;

/// Database to connect to in order to create or drop another one.
pub const MAINTENANCE: &str = "postgres";

/// Creates a database with the encoding UTF-8. Returns `false` if it existed already.
///
/// The encoding does not depend on the server's default, because names may have any letter. Only `template0` can be
/// copied into another encoding; it also accepts no connections, which would block the copy.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails for another reason.
pub async fn create(connection: &mut Connection, name: &str) -> Result<bool, sqlx::Error> {
    /// SQLSTATE `duplicate_database`.
    const EXISTS: &str = "42P04";
    let statement = format!("create database {} encoding 'UTF8' template template0", quote(name));
    match connection.execute(AssertSqlSafe(statement)).await {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(EXISTS) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Drops a database if it exists, and closes the connections to it.
///
/// # Errors
/// [`sqlx::Error`] if the statement fails.
pub async fn drop(connection: &mut Connection, name: &str) -> Result<(), sqlx::Error> {
    let statement = format!("drop database if exists {} with (force)", quote(name));
    connection.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}

/// Quotes the name of a database, which cannot be a parameter of a statement.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
