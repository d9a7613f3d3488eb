//! Long lists: their tables, and their pages.

use super::print_line;
use crate::domain::page::Page;
use crate::service::Error;

/// Table of text. Wider cells move the rest of their line.
pub(super) struct Table<const N: usize>([Column; N]);

/// Column of a table.
pub(super) enum Column {
    /// Text of at least this width.
    Text(usize),
    /// Number of at least this width, aligned to the right.
    Number(usize),
    /// Text up to the end of the line.
    Last,
}

impl<const N: usize> Table<N> {
    /// Prints the heading of a table.
    pub(super) fn begin(columns: [(&str, Column); N]) -> anyhow::Result<Self> {
        let headings = columns.each_ref().map(|(heading, _)| (*heading).to_owned());
        let table = Self(columns.map(|(_, column)| column));
        table.print(headings)?;
        Ok(table)
    }

    /// Prints a line.
    pub(super) fn print(&self, cells: [String; N]) -> anyhow::Result<()> {
        let padded = self.0.iter().zip(cells).map(|(column, cell)| match column {
            Column::Text(width) => format!("{cell:<width$}"),
            Column::Number(width) => format!("{cell:>width$}"),
            Column::Last => cell,
        });
        print_line(padded.collect::<Vec<_>>().join("  "))
    }
}

/// Reads a list page by page, and calls `print` with its items, `limit` of them at most.
pub(super) async fn for_each<T, C>(
    list: impl AsyncFn(Option<C>) -> Result<Page<T, C>, Error>,
    limit: usize,
    print: impl Fn(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut left, mut cursor) = (limit, None);
    loop {
        let page = list(cursor).await?;
        let items = page.items.len();
        page.items.into_iter().take(left).try_for_each(&print)?;
        left = left.saturating_sub(items);
        match page.next {
            Some(next) if left > 0 => cursor = Some(next),
            _ => return Ok(()),
        }
    }
}
