//! Rows of a file with a JSON object in each line. Empty lines are skipped.

use std::io::{BufRead as _, BufReader, Read};

use serde_json::{Map, Value};

use super::bounded::{Bounded, Budget};
use super::source::SourceRow;
use crate::domain::account::import::{Column, Fault, Row, RowMistake, quote_name};

/// Rows of a file of JSON lines.
pub(super) struct JsonRows<R> {
    reader: BufReader<Bounded<R>>,
    budget: Budget,
    line: u64,
    ignore_unknown: bool,
}

impl<R: Read> JsonRows<R> {
    pub(super) fn new(input: R, ignore_unknown: bool) -> Self {
        let budget = Budget::new();
        let reader = BufReader::new(Bounded::new(input, budget.clone()));
        Self { reader, budget, line: 0, ignore_unknown }
    }

    /// Reads the next row. `None` after the last one.
    ///
    /// # Errors
    /// The input cannot be read.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<SourceRow>> {
        let mut bytes = Vec::new();
        loop {
            self.budget.renew();
            bytes.clear();
            if self.reader.read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let text = bytes.strip_prefix(b"\xef\xbb\xbf".as_slice()).filter(|_| self.line == 1);
            let text = text.unwrap_or(&bytes).trim_ascii();
            if !text.is_empty() {
                let row = read(text, self.ignore_unknown);
                return Ok(Some(SourceRow { place: format!("line {}", self.line), row }));
            }
        }
    }
}

fn read(text: &[u8], ignore_unknown: bool) -> Result<Row, Vec<RowMistake>> {
    // The parser's message can show a value.
    let object: Map<String, Value> =
        serde_json::from_slice(text).map_err(|_| vec![RowMistake { column: None, fault: Fault::NotJson }])?;
    let (mut row, mut mistakes) = (Row::default(), Vec::new());
    for (name, value) in object {
        let Some(column) = Column::parse(&name) else {
            if !ignore_unknown {
                let fault = Fault::UnknownColumn(quote_name(&name));
                mistakes.push(RowMistake { column: None, fault });
            }
            continue;
        };
        let set = match value {
            Value::Null => Ok(()),
            Value::String(text) => row.set(column, text),
            Value::Bool(_) | Value::Number(_) => row.set(column, value.to_string()),
            Value::Array(_) | Value::Object(_) => {
                Err(RowMistake { column: Some(column), fault: Fault::NotText })
            }
        };
        mistakes.extend(set.err());
    }
    if mistakes.is_empty() { Ok(row) } else { Err(mistakes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the places of the rows, each with its mistakes.
    fn check(text: &str, ignore_unknown: bool, expected: &[&str]) {
        let mut rows = JsonRows::new(text.as_bytes(), ignore_unknown);
        let mut read = Vec::new();
        while let Some(SourceRow { place, row }) = rows.next().unwrap() {
            let mistakes = row.and_then(|row| row.read(<_>::default())).err().unwrap_or_default();
            read.push(mistakes.iter().fold(place, |text, mistake| format!("{text}, {mistake}")));
        }
        assert_eq!(read, expected, "{text}");
    }

    const ADA: &str = r#""firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com""#;

    #[test]
    fn a_line_is_an_object_of_plain_values() {
        check(&format!("\u{feff}{{{ADA}, \"id\": 7, \"disabled\": true}}\r\n\r\n"), false, &["line 1"]);
        check(&format!("\n{{{ADA}, \"role\": null}}"), false, &["line 2"]);
    }

    #[test]
    fn a_line_that_is_no_row_is_named() {
        check(
            "[]\n{\"email\": \"hunter2\nnull\n",
            false,
            &["line 1, is not a JSON object", "line 2, is not a JSON object", "line 3, is not a JSON object"],
        );
        let tenant = format!("{{{ADA}, \"tenant\": {{}}}}");
        let unknown = "unknown column \"tenant\": remove it, or leave it out with --ignore-unknown-columns";
        check(&tenant, false, &[&format!("line 1, {unknown}")]);
        check(&tenant, true, &["line 1"]);
        let nested = format!("{{{ADA}, \"role\": [\"admin\"], \"first_name\": \"A\"}}");
        check(
            &nested,
            false,
            &["line 1, first_name: is there twice, role: is neither text, number nor boolean"],
        );
    }
}
