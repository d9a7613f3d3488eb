//! Rows of a CSV file (RFC 4180) with a header, in UTF-8, with or without a byte-order mark.

use std::io::Read;

use anyhow::bail;
use csv::{ByteRecord, Reader, ReaderBuilder};

use super::bounded::{Bounded, Budget};
use super::source::SourceRow;
use crate::domain::account::import::{Column, Fault, Row, RowMistake, map_columns};

/// Rows of a CSV file.
pub(super) struct CsvRows<R> {
    reader: Reader<Bounded<R>>,
    budget: Budget,
    columns: Vec<Option<Column>>,
    record: ByteRecord,
}

impl<R: Read> CsvRows<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// The input cannot be read, or the header is none.
    pub(super) fn new(input: R, ignore_unknown: bool) -> anyhow::Result<Self> {
        let budget = Budget::new();
        // Flexible: a row with another number of fields is a mistake of the row, and no end.
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(Bounded::new(input, budget.clone()));
        let header = reader.byte_headers()?;
        let names: Vec<_> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        if names.is_empty() {
            bail!("the file is empty: its first line names the columns");
        }
        let columns = map_columns(&names, ignore_unknown)?;
        Ok(Self { reader, budget, columns, record: ByteRecord::new() })
    }

    /// Reads the next row. `None` after the last one.
    ///
    /// # Errors
    /// The input cannot be read.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<SourceRow>> {
        self.budget.renew();
        if !self.reader.read_byte_record(&mut self.record)? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(Some(SourceRow { place: format!("line {line}"), row: self.read() }))
    }

    fn read(&self) -> Result<Row, Vec<RowMistake>> {
        let (found, expected) = (self.record.len(), self.columns.len());
        if found != expected {
            return Err(vec![RowMistake { column: None, fault: Fault::FieldCount { found, expected } }]);
        }
        let (mut row, mut mistakes) = (Row::default(), Vec::new());
        for (column, field) in self.columns.iter().zip(&self.record) {
            let Some(column) = *column else { continue };
            let set = match str::from_utf8(field) {
                Ok(text) => row.set(column, text.to_owned()),
                Err(_) => Err(RowMistake { column: Some(column), fault: Fault::NotUtf8 }),
            };
            mistakes.extend(set.err());
        }
        if mistakes.is_empty() { Ok(row) } else { Err(mistakes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the places of the rows, each with its mistakes.
    fn read(text: &[u8], ignore_unknown: bool) -> anyhow::Result<Vec<String>> {
        let mut rows = CsvRows::new(text, ignore_unknown)?;
        let mut read = Vec::new();
        while let Some(SourceRow { place, row }) = rows.next()? {
            let mistakes = row.and_then(|row| row.read(<_>::default())).err().unwrap_or_default();
            read.push(mistakes.iter().fold(place, |text, mistake| format!("{text}, {mistake}")));
        }
        Ok(read)
    }

    fn check(text: &[u8], expected: &[&str]) {
        assert_eq!(read(text, false).unwrap(), expected, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn rows_are_read_with_either_line_end_and_a_mark() {
        check(b"email,first_name,last_name\nada@example.com,Ada,Lovelace\n", &["line 2"]);
        check(b"\xef\xbb\xbfemail,first_name,last_name\r\nada@example.com,Ada,Lovelace\r\n", &["line 2"]);
        check(b"email,first_name,last_name\n\nada@example.com,Ada,\"Love\"\"lace\"", &["line 3"]);
        check(b"email,first_name,last_name\n", &[]);
    }

    #[test]
    fn a_row_with_a_mistake_is_named_by_its_line() {
        check(
            b"email,first_name,last_name\nada@example.com,Ada\nbob@example.com,\"B\nob\",Doe\n\xff@example.com,C,D\nd@e,\"\",F",
            &[
                "line 2, has 2 fields, but the header has 3",
                "line 3, first_name: A name has no control or invisible characters",
                "line 5, email: is not UTF-8",
                "line 6, first_name: is required, email: E-mail is not an e-mail address",
            ],
        );
    }

    #[test]
    fn a_header_that_cannot_be_imported_ends_the_import() {
        let check = |text: &str, expected| {
            let error = read(text.as_bytes(), false).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("", "the file is empty");
        check("email,first_name,last_name,tenant\n", "unknown columns: tenant");
        check("email,first_name\n", "the column last_name is missing");
        let text = b"email,first_name,last_name,tenant\nada@example.com,Ada,Lovelace,7\n";
        assert_eq!(read(text, true).unwrap(), ["line 2"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_ends_the_import() {
        let text = format!("email,first_name,last_name\n\"ada{}", "\nx,y,z".repeat(20_000));
        let error = read(text.as_bytes(), false).unwrap_err().to_string();
        assert!(error.contains("a quote may not be closed"), "{error}");
    }
}
