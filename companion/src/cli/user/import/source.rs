//! Sources of an import: a file, standard input, or a table of another database.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;

use super::csv_rows::CsvRows;
use super::json_rows::JsonRows;
use super::table_rows::{self, TableRows};
use super::{Format, Import};
use crate::cli::read_settings;
use crate::config::ImportSource;
use crate::db::connection::Connection;
use crate::domain::account::import::{Row, RowMistake};

/// Row with its place in the source, such as `line 12`.
pub(super) struct SourceRow {
    pub(super) place: String,
    /// Row, or the mistakes that keep it from being one.
    pub(super) row: Result<Row, Vec<RowMistake>>,
}

/// Source of rows.
pub(super) enum Source<'a> {
    Csv(Box<CsvRows<Box<dyn Read>>>),
    Json(Box<JsonRows<Box<dyn Read>>>),
    Table(TableRows<'a>),
}

/// Connects to the other database, if that is the source.
pub(super) async fn connect(import: &Import) -> anyhow::Result<Option<Connection>> {
    if !import.from_postgres {
        return Ok(None);
    }
    let ImportSource(database) = read_settings()?;
    Ok(Some(table_rows::connect(&database).await?))
}

/// Opens the source.
pub(super) async fn open<'a>(
    import: &Import,
    connection: Option<&'a mut Connection>,
) -> anyhow::Result<Source<'a>> {
    let ignore_unknown = import.ignore_unknown_columns;
    if let Some(connection) = connection {
        return Ok(Source::Table(TableRows::new(connection, &import.table, ignore_unknown).await?));
    }
    let path = import.file.as_deref().unwrap_or(Path::new("-"));
    let format = Format::of(import.format, path)?;
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).with_context(|| path.display().to_string())?)
    };
    Ok(match format {
        Format::Csv => Source::Csv(Box::new(CsvRows::new(input, ignore_unknown)?)),
        Format::Jsonl => Source::Json(Box::new(JsonRows::new(input, ignore_unknown))),
    })
}

impl Source<'_> {
    /// Reads the next row. `None` after the last one.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<SourceRow>> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
            Self::Table(rows) => rows.next().await,
        }
    }
}
