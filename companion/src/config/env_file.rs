//! Parser of settings files. It accepts the lines that dotenv libraries, Docker Compose and shells read alike, and
//! rejects all others with their line numbers.
//!
//! dotenvy is not maintained. It reports neither line nor cause, and replaces a `$NAME` that is not set by nothing, which
//! would shorten a password.

use std::iter::Peekable;
use std::str::Chars;

use thiserror::Error;

/// Fault of a line. It never holds the line: that may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidLine {
    /// There is no `NAME=` or `NAME:` at its start.
    #[error("is not NAME=value")]
    NotAnAssignment,
    /// A quote opens the value, and none closes it.
    #[error("opens a quote that is never closed")]
    QuoteUnclosed,
    /// Something follows the quote that closes the value.
    #[error("has text after the closing quote; put the whole value in single quotes")]
    TextAfterQuote,
    /// A quote stands within a value that has none around it, or a backtick outside single quotes.
    #[error(
        "has a quote or a backtick within the value; put the whole value in quotes of another kind, a backtick in single quotes"
    )]
    QuoteWithin,
    /// A `#` stands within a value that has no quotes around it.
    #[error(
        "has a # within the value, where some programs begin a comment; put the whole value in single quotes"
    )]
    HashWithin,
    /// A `$` asks for a variable that is not set, or for a command.
    #[error(
        "has a $ that names nothing that is set, or asks for a default; put a value with a $ in single quotes"
    )]
    DollarUnknown,
    /// A backslash stands before a letter that it does not belong to.
    #[error("has a backslash that programs read differently; put the value in single quotes")]
    BackslashUnknown,
}

/// One assignment, or its fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Number of the line, from 1; of a value of several lines, the first one.
    pub number: usize,
    /// Name and value.
    pub assignment: Result<(String, String), InvalidLine>,
}

/// Parses all lines. `lookup` returns the value of a variable that a `$` names, beside those that the file sets.
pub fn parse(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Vec<Line> {
    let text = text.replace("\r\n", "\n");
    let mut rest = text.as_str();
    let (mut lines, mut number) = (Vec::<Line>::new(), 1);
    while !rest.is_empty() {
        let look = |name: &str| lookup(name).or_else(|| last_value(&lines, name));
        let (assignment, used) = parse_line(rest, &look);
        let (read, after) = rest.split_at_checked(used).unwrap_or((rest, ""));
        if let Some(assignment) = assignment.transpose() {
            lines.push(Line { number, assignment });
        }
        number += read.matches('\n').count();
        rest = after;
    }
    lines
}

fn last_value(lines: &[Line], name: &str) -> Option<String> {
    let mut assignments = lines.iter().rev().filter_map(|line| line.assignment.as_ref().ok());
    assignments.find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

/// Parses the assignment at the start of a text, if there is one. Also returns its length in bytes, with the end of its
/// line.
fn parse_line(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> (Result<Option<(String, String)>, InvalidLine>, usize) {
    let end_of_line = text.find('\n').map_or(text.len(), |at| at + 1);
    let line = text.get(..end_of_line).unwrap_or(text).trim();
    if line.is_empty() || line.starts_with('#') {
        return (Ok(None), end_of_line);
    }
    let Some((name, value)) = split_name(text.trim_start_matches([' ', '\t'])) else {
        return (Err(InvalidLine::NotAnAssignment), end_of_line);
    };
    let mut chars = value.chars().peekable();
    let quote = chars.next_if(|first| ['\'', '"'].contains(first));
    let value_read = match quote {
        Some(quote) => read_quoted(&mut chars, quote, lookup),
        None => read_plain(&mut chars, lookup),
    };
    // A quote that is not closed, or closed by the next line's, ends with its line: what follows is read by itself.
    let is_stray = matches!(value_read, Err(InvalidLine::QuoteUnclosed | InvalidLine::TextAfterQuote));
    let is_quoted = quote.is_some() && !is_stray;
    let unread: usize = if is_quoted { chars.map(char::len_utf8).sum() } else { 0 };
    let start = if is_quoted { text.len() - unread } else { 0 };
    let left = text.get(start..).unwrap_or_default();
    let used = left.find('\n').map_or(text.len(), |at| start + at + 1);
    (value_read.map(|value| Some((name.to_owned(), value))), used)
}

/// Splits `export NAME = value` or `NAME: value` into the name and the rest of the text.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let blank = [' ', '\t'];
    let text = text.strip_prefix("export").filter(|rest| rest.starts_with(blank)).unwrap_or(text);
    let text = text.trim_start_matches(blank);
    let is_name = |char: char| char.is_ascii_alphanumeric() || "_.".contains(char);
    let (name, rest) = text.split_at_checked(text.find(|char| !is_name(char))?)?;
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let after = rest.trim_start_matches(blank);
    let value =
        after.strip_prefix('=').or_else(|| after.strip_prefix(':').filter(|value| value.starts_with(blank)));
    let value = value?;
    let trimmed = value.trim_start_matches(blank);
    // ` #` begins a comment, here too.
    let is_comment = trimmed.starts_with('#') && trimmed.len() < value.len();
    Some((name, if is_comment { "" } else { trimmed }))
}

/// Reads a value without quotes, up to a comment or the end of the line.
fn read_plain(
    chars: &mut Peekable<Chars<'_>>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, InvalidLine> {
    let (mut value, mut kept) = (String::new(), 0);
    while let Some(char) = chars.next_if(|char| *char != '\n') {
        match char {
            '#' if value.ends_with([' ', '\t']) => break,
            '#' => return Err(InvalidLine::HashWithin),
            '\'' | '"' | '`' => return Err(InvalidLine::QuoteWithin),
            '\\' => value.push(read_escaped(chars)?),
            '$' => value.push_str(&read_variable(chars, lookup)?),
            other => value.push(other),
        }
        // Blanks at the end go, unless a backslash kept them.
        if char == '\\' || !char.is_whitespace() {
            kept = value.len();
        }
    }
    value.truncate(kept);
    Ok(value)
}

/// Reads a value in quotes, after the opening one; the rest of its last line must be empty, or a comment.
fn read_quoted(
    chars: &mut Peekable<Chars<'_>>,
    quote: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, InvalidLine> {
    let mut value = String::new();
    loop {
        match chars.next().ok_or(InvalidLine::QuoteUnclosed)? {
            char if char == quote => break,
            '\\' if quote == '"' => value.push(read_escaped(chars)?),
            '$' if quote == '"' => value.push_str(&read_variable(chars, lookup)?),
            '`' if quote == '"' => return Err(InvalidLine::QuoteWithin),
            other => value.push(other),
        }
    }
    while chars.next_if(|char| [' ', '\t', '\r'].contains(char)).is_some() {}
    match chars.peek() {
        None | Some('\n' | '#') => Ok(value),
        Some(_) => Err(InvalidLine::TextAfterQuote),
    }
}

fn read_escaped(chars: &mut Peekable<Chars<'_>>) -> Result<char, InvalidLine> {
    match chars.next() {
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some(char @ ('\\' | '\'' | '"' | '$' | ' ' | '#' | '`')) => Ok(char),
        _ => Err(InvalidLine::BackslashUnknown),
    }
}

/// Reads `$NAME` or `${NAME}` after its `$`, and returns the value. A `$` before anything else is a `$`.
fn read_variable(
    chars: &mut Peekable<Chars<'_>>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, InvalidLine> {
    let braced = chars.next_if_eq(&'{').is_some();
    let mut name = String::new();
    while let Some(char) = chars.next_if(|char| char.is_ascii_alphanumeric() || *char == '_') {
        name.push(char);
    }
    let closed = !braced || chars.next_if_eq(&'}').is_some();
    if name.is_empty() && !braced && chars.peek() != Some(&'(') {
        return Ok("$".to_owned());
    }
    lookup(&name).filter(|_| closed && !name.is_empty()).ok_or(InvalidLine::DollarUnknown)
}

#[cfg(test)]
mod tests;
