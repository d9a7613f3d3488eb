//! Where in the edge feed an asker stands: a cursor says which transactions it cannot have missed. Rows are read by it
//! in `db::edge_feed`.
//!
//! Postgres tells by a snapshot which transactions were visible at a moment, however long others stay open: what the
//! asker has not heard of is what its snapshot did not see. Each finished reading ends with the snapshot that it was
//! made with. A reading of several pages keeps that snapshot until the last of them.

use std::fmt;
use std::str::FromStr;

use edgeward_wire::MAX_CURSOR_BYTES;

/// The longest name of a history.
const MAX_HISTORY_BYTES: usize = 64;
/// The longest snapshot that a cursor keeps as it is: what a history, a row's key and another snapshot of the shortest
/// form leave of [`MAX_CURSOR_BYTES`].
const MAX_SNAPSHOT_BYTES: usize = MAX_CURSOR_BYTES - MAX_HISTORY_BYTES - 128;

/// Which transactions were visible at a moment, as Postgres writes it: `xmin:xmax:xip,…`. Those before xmin were, those
/// from xmax on were not, and those listed in between were still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    text: String,
}

/// A row's place in the feed's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The transaction that added it.
    pub xact: u64,
    /// Its number.
    pub id: i64,
}

/// A reading that takes several pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The snapshot that the first page was read with, which the reading ends with.
    pub target: Snapshot,
    /// Whether the later pages stop at it too. Else they say more than they need to, and it is heard twice: the
    /// snapshot was too long to be kept.
    pub bounded: bool,
    /// The last row that was read.
    pub after: RowKey,
}

/// Where an asker stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// What it has heard of.
    pub from: Snapshot,
    /// How far it is in hearing the rest.
    pub reading: Option<Reading>,
}

/// A position, and the history of transaction numbers that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The history's name.
    pub history: String,
    /// Where in it.
    pub position: Position,
}

/// Not a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSnapshot;

/// Not a cursor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCursor;

impl Snapshot {
    /// The snapshot that saw nothing.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::at(1)
    }

    fn at(xmin: u64) -> Self {
        Self { xmin, xmax: xmin, text: format!("{xmin}:{xmin}:") }
    }

    /// As Postgres reads it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The snapshot itself if it is short enough, else one that saw no more than this one and maybe less.
    fn within(self, bytes: usize) -> Self {
        if self.text.len() <= bytes { self } else { Self::at(self.xmin) }
    }
}

impl FromStr for Snapshot {
    type Err = InvalidSnapshot;

    /// No stricter and no laxer than Postgres, which answers an error where this does.
    fn from_str(text: &str) -> Result<Self, InvalidSnapshot> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().ok_or(InvalidSnapshot)
        };
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(InvalidSnapshot);
        let (xmin, xmax, open) = (number(part()?)?, number(part()?)?, part()?);
        let mut least = xmin;
        for xact in open.split(',').filter(|_| !open.is_empty()) {
            let xact = number(xact)?;
            if !(least..xmax).contains(&xact) {
                return Err(InvalidSnapshot);
            }
            least = xact;
        }
        if xmin == 0 || xmin > xmax {
            return Err(InvalidSnapshot);
        }
        Ok(Self { xmin, xmax, text: text.to_owned() })
    }
}

impl Position {
    /// Where everyone begins.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self { from: Snapshot::of_nothing(), reading: None }
    }

    /// The last row that was read; before the first page, where none is.
    #[must_use]
    pub fn after(&self) -> RowKey {
        self.reading.as_ref().map_or(RowKey { xact: 0, id: 0 }, |reading| reading.after)
    }

    /// The same among the transactions that had not begun by `from`.
    #[must_use]
    pub fn after_among_later(&self) -> RowKey {
        // Rows are numbered from 1.
        self.after().max(RowKey { xact: self.from.xmax, id: 0 })
    }

    /// Where the asker stands after a page that was read with the snapshot `present`. `last` is the page's last row if
    /// more may follow it.
    #[must_use]
    pub fn advance(self, present: &Snapshot, last: Option<RowKey>) -> Self {
        let (target, bounded) = self.reading.map_or_else(
            || {
                let target = present.clone().within(MAX_SNAPSHOT_BYTES);
                let bounded = target == *present;
                (target, bounded)
            },
            |reading| (reading.target, reading.bounded),
        );
        match last {
            None => Self { from: target, reading: None },
            // Of the two snapshots this is the one that may say too little: what was heard is known by `after`.
            Some(after) => {
                let from = self.from.within(MAX_SNAPSHOT_BYTES.saturating_sub(target.text.len()));
                Self { from, reading: Some(Reading { target, bounded, after }) }
            }
        }
    }
}

impl Cursor {
    /// Whether this is a place in that history, which has come as far as `present`.
    #[must_use]
    pub fn is_of(&self, history: &str, present: &Snapshot) -> bool {
        let Position { from, reading } = &self.position;
        let furthest = reading.as_ref().map_or(from.xmax, |reading| from.xmax.max(reading.target.xmax));
        self.history == history && furthest <= present.xmax
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parse = || {
            let (history, position) = text.split_once('.')?;
            let (from, reading) = match position.split_once('~') {
                None => (position, None),
                Some((from, reading)) => {
                    let (target, after) = reading.split_once('~')?;
                    let (target, bounded) = match target.strip_prefix('_') {
                        None => (target, true),
                        Some(target) => (target, false),
                    };
                    let (xact, id) = after.split_once('-')?;
                    let after = RowKey { xact: xact.parse().ok()?, id: id.parse().ok()? };
                    (from, Some(Reading { target: target.parse().ok()?, bounded, after }))
                }
            };
            let position = Position { from: from.parse().ok()?, reading };
            Some(Self { history: history.to_owned(), position })
        };
        parse().filter(|_| text.len() <= MAX_CURSOR_BYTES).ok_or(InvalidCursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { from, reading } = &self.position;
        write!(f, "{}.{}", self.history, from.text)?;
        if let Some(Reading { target, bounded, after }) = reading {
            let mark = if *bounded { "" } else { "_" };
            write!(f, "~{mark}{}~{}-{}", target.text, after.xact, after.id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        text.parse().unwrap()
    }

    /// A snapshot with so many open transactions, each of ten digits.
    fn crowded(open: u64) -> Snapshot {
        let listed: Vec<_> = (0..open).map(|number| (1_000_000_000 + number).to_string()).collect();
        snapshot(&format!("1000000000:2000000000:{}", listed.join(",")))
    }

    #[test]
    fn a_snapshot_is_what_postgres_reads_as_one() {
        let check = |text: &str, expected: bool| {
            assert_eq!(text.parse::<Snapshot>().is_ok(), expected, "{text}");
        };
        check("1:1:", true);
        check("10:20:10,14,19", true);
        check("10:20:14,14", true);
        check("18446744073709551615:18446744073709551615:", true);
        for text in [
            "",
            "1",
            "1:1",
            ":1:",
            "1::",
            "0:1:",
            "2:1:",
            "1:1:1",
            "10:20:9",
            "10:20:20",
            "10:20:15,14",
            "10:20:,",
            "10:20:14,",
            "+1:2:",
            " 1:2:",
            "1:2: ",
            "1:2::",
            "a:2:",
            "1:18446744073709551616:",
            "-1:2:",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn a_cursor_survives_being_written_and_read() {
        for text in ["7-a.1:1:", "h.10:20:10,14", "h.10:20:~20:25:21~19-7", "h.10:20:~_20:20:~19-7"] {
            assert_eq!(text.parse::<Cursor>().map(|cursor| cursor.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_cursor_is_not_read() {
        let long = format!("{}.1:1:", "h".repeat(MAX_CURSOR_BYTES));
        for text in [
            "",
            "0",
            "h",
            "h.",
            "h.1",
            "h.1:1:~",
            "h.1:1:~2:2:",
            "h.1:1:~2:2:~",
            "h.1:1:~2:2:~1",
            "h.1:1:~2~1-1",
            "h.1:1:~2:2:~a-1",
            &long,
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }

    #[test]
    fn a_cursor_is_of_its_own_history_and_not_from_the_future() {
        let check = |cursor: &str, expected: bool| {
            let cursor: Cursor = cursor.parse().unwrap();
            assert_eq!(cursor.is_of("h", &snapshot("10:20:")), expected, "{cursor}");
        };
        check("h.1:1:", true);
        check("h.15:20:", true);
        check("h.15:21:", false);
        check("h.1:1:~15:20:~1-1", true);
        check("h.1:1:~15:21:~1-1", false);
        check("g.1:1:", false);
    }

    #[test]
    fn a_reading_ends_with_the_snapshot_that_it_began_with() {
        let key = |id| Some(RowKey { xact: 12, id });
        let (first, later) = (snapshot("10:20:13"), snapshot("30:30:"));
        let begun = Position::of_nothing().advance(&first, key(1));
        let reading =
            |id| Some(Reading { target: first.clone(), bounded: true, after: RowKey { xact: 12, id } });
        assert_eq!(begun, Position { from: Snapshot::of_nothing(), reading: reading(1) });
        let further = begun.advance(&later, key(2));
        assert_eq!(further, Position { from: Snapshot::of_nothing(), reading: reading(2) });
        assert_eq!(further.advance(&later, None), Position { from: first, reading: None });
    }

    #[test]
    fn however_many_transactions_are_open_a_cursor_has_its_length() {
        let history = "h".repeat(MAX_HISTORY_BYTES);
        let last = Some(RowKey { xact: u64::MAX, id: i64::MAX });
        for open in [1, 80, 160, 168, 170, 1000] {
            for last in [last, None] {
                let from = Position::of_nothing().advance(&crowded(open), None);
                let position = from.advance(&crowded(open), last);
                let cursor = Cursor { history: history.clone(), position };
                assert!(cursor.to_string().len() <= MAX_CURSOR_BYTES, "{open}");
                assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
    }

    #[test]
    fn a_snapshot_that_is_too_long_is_replaced_by_one_that_saw_less() {
        let short = snapshot("1000000000:1000000000:");
        let finished = Position::of_nothing().advance(&crowded(1000), None);
        assert_eq!(finished, Position { from: short.clone(), reading: None });
        let after = RowKey { xact: 1, id: 1 };
        let begun = Position::of_nothing().advance(&crowded(1000), Some(after));
        assert_eq!(begun.reading, Some(Reading { target: short.clone(), bounded: false, after }));
        let crowded_twice =
            Position { from: crowded(120), reading: None }.advance(&crowded(120), Some(after));
        assert_eq!(crowded_twice.from, short);
        assert_eq!(crowded_twice.reading, Some(Reading { target: crowded(120), bounded: true, after }));
    }
}
