//! Cursors of the edge feed: which revocations a gateway has received. `db::edge_feed` reads the others.
//!
//! A [`Snapshot`] records which transactions were visible at a moment. A gateway lacks the revocations of
//! transactions that its snapshot does not see. Each scan of the feed ends with the snapshot of its first page; a
//! scan of several pages keeps that snapshot until the last of them.

use std::fmt;
use std::str::FromStr;

use edgeward_wire::MAX_CURSOR_BYTES;
use thiserror::Error;

use super::snapshot::Snapshot;

/// Maximum length of a history's name, in bytes. A name is a system identifier of at most 20 digits, a hyphen and a
/// UUID.
const MAX_HISTORY_BYTES: usize = 64;
/// Maximum length of a snapshot that a cursor keeps as it is, in bytes: the part of [`MAX_CURSOR_BYTES`] that a
/// history, a row's key and another snapshot of the shortest form leave.
const MAX_SNAPSHOT_BYTES: usize = MAX_CURSOR_BYTES - MAX_HISTORY_BYTES - 128;

/// Place of a row in the order of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// Transaction that added the row.
    pub xact: u64,
    /// ID of the row.
    pub id: i64,
}

/// Scan of the feed that takes several pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Snapshot of the first page, which the scan ends with.
    pub target: Snapshot,
    /// `true` if the later pages stop at `target` too. Otherwise the snapshot was too long for a cursor: the later
    /// pages contain more than they need to, and the gateway receives that twice.
    pub bounded: bool,
    /// Last row of the last page.
    pub after: RowKey,
}

/// Position of a gateway in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Snapshot whose transactions the gateway has received.
    pub from: Snapshot,
    /// Scan that the gateway is in; `None` between scans.
    pub scan: Option<Scan>,
}

/// Position, and the history of transaction numbers that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Name of the history.
    pub history: String,
    /// Position in the history.
    pub position: Position,
}

/// Text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a cursor of the edge feed")]
pub struct InvalidCursor;

impl Position {
    /// Makes the position of a gateway that has received nothing.
    #[must_use]
    pub fn start() -> Self {
        Self { from: Snapshot::empty(), scan: None }
    }

    /// Returns the last row that was read; before the first page, the place before all rows.
    #[must_use]
    pub fn after(&self) -> RowKey {
        self.scan.as_ref().map_or(RowKey { xact: 0, id: 0 }, |scan| scan.after)
    }

    /// Returns the same among the rows of transactions that had not begun by `from`.
    #[must_use]
    pub fn after_among_later(&self) -> RowKey {
        // Rows are numbered from 1.
        self.after().max(RowKey { xact: self.from.xmax(), id: 0 })
    }

    /// Returns the snapshot that the next page stops at; `None` if there is no limit.
    #[must_use]
    pub fn bound(&self) -> Option<&Snapshot> {
        self.scan.as_ref().filter(|scan| scan.bounded).map(|scan| &scan.target)
    }

    /// Returns the position after a page that was read with the snapshot `present`. `last` is the page's last row if
    /// more may follow it, otherwise `None`.
    #[must_use]
    pub fn advance(self, present: &Snapshot, last: Option<RowKey>) -> Self {
        let (target, bounded) = self.scan.map_or_else(
            || {
                let target = present.clone().shortened_to(MAX_SNAPSHOT_BYTES);
                let bounded = target == *present;
                (target, bounded)
            },
            |scan| (scan.target, scan.bounded),
        );
        match last {
            None => Self { from: target, scan: None },
            // Of the two snapshots, `from` is the one that may lose detail: `after` marks what was received.
            Some(after) => {
                let from = self.from.shortened_to(MAX_SNAPSHOT_BYTES.saturating_sub(target.as_str().len()));
                Self { from, scan: Some(Scan { target, bounded, after }) }
            }
        }
    }
}

impl Cursor {
    /// Returns `true` if the cursor belongs to this history, which has come as far as `present`. A cursor from ahead of
    /// that belongs to a database that was restored to an earlier state.
    #[must_use]
    pub fn belongs_to(&self, history: &str, present: &Snapshot) -> bool {
        let Position { from, scan } = &self.position;
        let furthest = scan.as_ref().map_or(from.xmax(), |scan| from.xmax().max(scan.target.xmax()));
        self.history == history && furthest <= present.xmax()
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    /// Reads `<history>.<from>`, within a scan followed by `~<target>~<xact>-<id>`. An unbounded target begins with
    /// `_`.
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parse = || {
            let (history, position) = text.split_once('.')?;
            let (from, scan) = match position.split_once('~') {
                None => (position, None),
                Some((from, scan)) => {
                    let (target, after) = scan.split_once('~')?;
                    let (target, bounded) = match target.strip_prefix('_') {
                        None => (target, true),
                        Some(target) => (target, false),
                    };
                    let (xact, id) = after.split_once('-')?;
                    let after = RowKey { xact: xact.parse().ok()?, id: id.parse().ok()? };
                    (from, Some(Scan { target: target.parse().ok()?, bounded, after }))
                }
            };
            let position = Position { from: from.parse().ok()?, scan };
            Some(Self { history: history.to_owned(), position })
        };
        parse().filter(|_| text.len() <= MAX_CURSOR_BYTES).ok_or(InvalidCursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { from, scan } = &self.position;
        write!(f, "{}.{}", self.history, from.as_str())?;
        if let Some(Scan { target, bounded, after }) = scan {
            let mark = if *bounded { "" } else { "_" };
            write!(f, "~{mark}{}~{}-{}", target.as_str(), after.xact, after.id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
