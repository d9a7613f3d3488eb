//! Rows of a table in another Postgres database. They are read as text, so that the rules for them are those of a file.

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;

use super::source::SourceRow;
use crate::cli::connect;
use crate::config::Database;
use crate::db::connection::Connection;
use crate::db::foreign_users::{self, Texts};
use crate::domain::account::import::{Column, Row, RowMistake, map_columns};

/// Rows of a table.
pub(super) struct TableRows<'a> {
    columns: Vec<Column>,
    texts: BoxStream<'a, Result<Texts, sqlx::Error>>,
    count: u64,
}

/// Connects to the database, to read alone.
pub(super) async fn connect(database: &Database) -> anyhow::Result<Connection> {
    let mut connection = connect::connect(database).await?;
    foreign_users::prepare(&mut connection).await?;
    Ok(connection)
}

impl<'a> TableRows<'a> {
    /// Starts to read a table.
    ///
    /// # Errors
    /// The table cannot be read, or its columns cannot be imported.
    pub(super) async fn new(
        connection: &'a mut Connection,
        table: &str,
        ignore_unknown: bool,
    ) -> anyhow::Result<Self> {
        let context = || format!("cannot read the table {table}");
        let names = foreign_users::columns(connection, table).await.with_context(context)?;
        let columns = map_columns(&names, ignore_unknown).with_context(context)?;
        let known: Vec<(Column, String)> =
            columns.into_iter().zip(names).filter_map(|(column, name)| Some((column?, name))).collect();
        let (columns, names): (Vec<_>, Vec<_>) = known.into_iter().unzip();
        let texts = foreign_users::read(connection, table, &names).await.with_context(context)?;
        Ok(Self { columns, texts, count: 0 })
    }

    /// Reads the next row. `None` after the last one.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<SourceRow>> {
        let Some(texts) = self.texts.try_next().await? else { return Ok(None) };
        self.count += 1;
        let fields =
            || self.columns.iter().zip(&texts).filter_map(|(column, text)| Some((column, text.as_ref()?)));
        let place = match fields().find(|(column, _)| **column == Column::Id) {
            Some((_, id)) => format!("id {id}"),
            None => format!("row {}", self.count),
        };
        let mut row = Row::default();
        let set = fields().try_for_each(|(column, text)| row.set(*column, text.clone()));
        Ok(Some(SourceRow { place, row: set.map(|()| row).map_err(|mistake: RowMistake| vec![mistake]) }))
    }
}
