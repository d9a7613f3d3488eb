//! SQL over a table of users of another system, which is only read. Its columns are known when the command runs, so these
//! queries are not checked at compile time.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::db::connection::Connection;

/// Texts of a row, in the order of the columns.
pub type Texts = Vec<Option<String>>;

/// Makes a connection read-only, and has Postgres print times by ISO 8601 and in UTC.
///
/// # Errors
/// [`sqlx::Error`] if a statement fails.
pub async fn prepare(connection: &mut Connection) -> Result<(), sqlx::Error> {
    connection
        .execute("set default_transaction_read_only = on; set datestyle = 'ISO'; set timezone = 'UTC'")
        .await?;
    Ok(())
}

/// Lists the columns of a table, in their order. `table` is a name as in SQL: `users`, `auth.users`, `"Users"`.
///
/// # Errors
/// [`sqlx::Error`] if there is no such table, or if the statement fails.
pub async fn columns(connection: &mut Connection, table: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select attname::text from pg_attribute
         where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum",
    )
    .bind(table)
    .fetch_all(connection)
    .await
}

/// Reads columns of a table as text, row by row and in one snapshot.
///
/// # Errors
/// [`sqlx::Error`] if there is no such table.
pub async fn read<'a>(
    connection: &'a mut Connection,
    table: &str,
    columns: &[String],
) -> Result<BoxStream<'a, Result<Texts, sqlx::Error>>, sqlx::Error> {
    // Postgres quotes the name, which cannot be a parameter of the statement below.
    let table: String =
        sqlx::query_scalar("select $1::text::regclass::text").bind(table).fetch_one(&mut *connection).await?;
    let quoted: Vec<_> =
        columns.iter().map(|name| format!("\"{}\"::text", name.replace('"', "\"\""))).collect();
    let statement = format!("select {} from {table}", quoted.join(", "));
    let count = columns.len();
    let rows = sqlx::query(AssertSqlSafe(statement)).fetch(connection);
    Ok(rows.and_then(move |row| async move { (0..count).map(|at| row.try_get(at)).collect() }).boxed())
}
