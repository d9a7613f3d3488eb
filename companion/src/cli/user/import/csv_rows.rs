//! Rows of a CSV file (RFC 4180) with a header, in UTF-8, with or without a byte-order mark.

use std::io::{Chain, Read};

use anyhow::bail;
use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use super::bounded::{Bounded, Budget};
use super::source::SourceRow;
use crate::domain::account::import::{Column, Fault, Row, RowMistake, map_columns};

/// Rows of a CSV file.
pub(super) struct CsvRows<R> {
    reader: Reader<Bounded<Chain<R, &'static [u8]>>>,
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
        // The last line ends as the others do, so that lines are counted in one way.
        let input = Bounded::new(input.chain(&b"\n"[..]), budget.clone());
        // Flexible: a row with another number of fields is a mistake of the row, and no end. The default terminator leaves
        // the `\n` of a `\r\n` to the next row, which would begin one line too early.
        let mut reader =
            ReaderBuilder::new().flexible(true).terminator(Terminator::Any(b'\n')).from_reader(input);
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
        loop {
            self.budget.renew();
            if !self.reader.read_byte_record(&mut self.record)? {
                return Ok(None);
            }
            let is_blank = self.record.len() == 1 && self.record.as_slice().trim_ascii().is_empty();
            if !is_blank {
                let place = format!("line {}", self.first_line());
                return Ok(Some(SourceRow { place, row: self.read() }));
            }
        }
    }

    /// Returns the line on which the row begins. Its position is that of the blank lines before it.
    fn first_line(&self) -> u64 {
        let lines = self.record.as_slice().split(|byte| *byte == b'\n').count();
        self.reader.position().line().saturating_sub(lines as u64)
    }

    fn read(&self) -> Result<Row, Vec<RowMistake>> {
        let (found, expected) = (self.record.len(), self.columns.len());
        if found != expected {
            return Err(vec![RowMistake { column: None, fault: Fault::FieldCount { found, expected } }]);
        }
        let (mut row, mut mistakes) = (Row::default(), Vec::new());
        for (index, (column, field)) in self.columns.iter().zip(&self.record).enumerate() {
            let Some(column) = *column else { continue };
            let is_last = index + 1 == expected;
            let field = field.strip_suffix(b"\r").filter(|_| is_last).unwrap_or(field);
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
        check(b"email,first_name,last_name\r\n\r\n\r\nada@example.com,Ada,\"Lovelace\"\r\n\r\n", &["line 4"]);
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
        // Without a header: a message shows no hash.
        check(
            "ada@example.com,$2b$12$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S\n",
            "unknown columns: (no name), (no name);",
        );
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
