//! Making and dropping whole databases, for the command line and for tests. Nothing of their content.

use sqlx::{AssertSqlSafe, Executor, PgConnection};

/// The database that one connects to in order to make or drop another.
pub const MAINTENANCE: &str = "postgres";

/// Makes a database. Says whether it was missing.
///
/// UTF-8, whatever the server's default: a name may have any letter. Only `template0` may be copied into another
/// encoding, and nobody can be connected to it, which would stop the copying.
pub async fn create(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    /// `duplicate_database`.
    const EXISTS: &str = "42P04";
    let statement = format!("create database {} encoding 'UTF8' template template0", quote(name));
    match connection.execute(AssertSqlSafe(statement)).await {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(EXISTS) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Drops a database, though others are connected to it.
pub async fn drop(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    let statement = format!("drop database if exists {} with (force)", quote(name));
    connection.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}

/// A database's name cannot be a parameter.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
