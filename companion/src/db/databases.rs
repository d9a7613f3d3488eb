//! Making and dropping whole databases, for the command line and for tests. Nothing of their content.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

/// The database that one connects to in order to make or drop another.
const MAINTENANCE: &str = "postgres";

/// Makes the database that the options name. Says whether it was missing.
pub async fn create(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    /// `duplicate_database`.
    const EXISTS: &str = "42P04";
    let name = quote(options);
    match run(options, format!("create database {name}")).await {
        Ok(()) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(EXISTS) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Drops the database that the options name, though others are connected to it.
pub async fn drop(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let name = quote(options);
    run(options, format!("drop database if exists {name} with (force)")).await
}

async fn run(options: &PgConnectOptions, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = options.clone().database(MAINTENANCE).connect().await?;
    // A database's name cannot be a parameter; it is quoted.
    connection.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}

fn quote(options: &PgConnectOptions) -> String {
    format!("\"{}\"", options.get_database().unwrap_or_default().replace('"', "\"\""))
}
