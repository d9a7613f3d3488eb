//! Cursors of the edge feed: which revocations a gateway has received.
//!
//! A [`Cut`] names a snapshot of the database, by the table `edge_feed_cuts`. A cursor is the name of the cut that a
//! gateway has received everything of, and its place in the pages to the next one if there are several.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Length of a tag: a UUID in its usual form (RFC 9562 §4).
const TAG_BYTES: usize = 36;
/// Cursor text for a gateway that has received nothing.
const START: &str = "0";

/// Name of a cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// Time of the cut, in seconds since 1970, by the clock of the companion that made it.
    pub second: i64,
    /// Random UUID, which no other cut has.
    pub tag: String,
}

/// Place of a row in the order of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// Transaction that added the row.
    pub xact: u64,
    /// ID of the row.
    pub id: i64,
}

/// Pages to a cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    /// Cut that the pages lead to.
    pub to: Cut,
    /// Last row of the last page; `None` before the first.
    pub after: Option<RowKey>,
}

/// Cursor of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Cut that the gateway has received everything of; `None` if it has received nothing.
    pub from: Option<Cut>,
    /// Pages that the gateway is in; `None` between them.
    pub scan: Option<Scan>,
}

/// Text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a cursor of the edge feed")]
pub struct InvalidCursor;

impl Cursor {
    /// Makes the cursor of a gateway that has received everything of a cut.
    #[must_use]
    pub const fn at(cut: Cut) -> Self {
        Self { from: Some(cut), scan: None }
    }
}

impl FromStr for Cut {
    type Err = InvalidCursor;

    /// Reads `<second>.<tag>`.
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (second, tag) = text.split_once('.').ok_or(InvalidCursor)?;
        let is_tag = tag.len() == TAG_BYTES
            && tag.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            });
        let is_number = !second.is_empty() && second.bytes().all(|byte| byte.is_ascii_digit());
        let second = second.parse().ok().filter(|_| is_tag && is_number).ok_or(InvalidCursor)?;
        Ok(Self { second, tag: tag.to_owned() })
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    /// Reads a cut, or `0` for none; among pages followed by `~<cut>~<xact>-<id>`.
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (from, scan) = match text.split_once('~') {
            None => (text, None),
            Some((from, scan)) => (from, Some(scan)),
        };
        let from = if from == START { None } else { Some(from.parse()?) };
        let scan = scan.map(|scan| {
            let (to, after) = scan.split_once('~')?;
            let (xact, id) = after.split_once('-')?;
            let after = RowKey { xact: xact.parse().ok()?, id: id.parse().ok()? };
            Some(Scan { to: to.parse().ok()?, after: Some(after) })
        });
        match scan {
            None if from.is_none() => Err(InvalidCursor),
            None => Ok(Self { from, scan: None }),
            Some(scan) => Ok(Self { from, scan: Some(scan.ok_or(InvalidCursor)?) }),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.second, self.tag)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(cut) => write!(f, "{cut}")?,
            None => f.write_str(START)?,
        }
        if let Some(Scan { to, after: Some(RowKey { xact, id }) }) = &self.scan {
            write!(f, "~{to}~{xact}-{id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
