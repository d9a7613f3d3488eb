//! Snapshots of Postgres: which transactions were visible at a moment, however long others stay open.

use std::str::FromStr;

use thiserror::Error;

/// Snapshot as Postgres writes it, `xmin:xmax:xip,…`. Transactions before `xmin` were visible, those from `xmax` on
/// were not, and those of the list were still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    xmax: u64,
    open: Vec<u64>,
    text: String,
}

/// Text that is not a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a snapshot of Postgres")]
pub struct InvalidSnapshot;

impl Snapshot {
    /// Makes the snapshot that no transaction is visible in.
    #[must_use]
    pub fn empty() -> Self {
        Self { xmax: 1, open: Vec::new(), text: "1:1:".to_owned() }
    }

    /// Returns the text that Postgres reads.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the first transaction that had not begun.
    #[must_use]
    pub fn xmax(&self) -> u64 {
        self.xmax
    }

    /// Returns `true` if what a committed transaction wrote is visible.
    #[must_use]
    pub fn sees(&self, xact: u64) -> bool {
        xact < self.xmax && self.open.binary_search(&xact).is_err()
    }
}

impl FromStr for Snapshot {
    type Err = InvalidSnapshot;

    /// Reads a snapshot, exactly as strictly as Postgres does: it reports an error for the same texts.
    fn from_str(text: &str) -> Result<Self, InvalidSnapshot> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().ok_or(InvalidSnapshot)
        };
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(InvalidSnapshot);
        let (xmin, xmax, open) = (number(part()?)?, number(part()?)?, part()?);
        let open: Vec<u64> =
            open.split(',').filter(|_| !open.is_empty()).map(number).collect::<Result<_, _>>()?;
        if !open.is_sorted() || !open.iter().all(|xact| (xmin..xmax).contains(xact)) {
            return Err(InvalidSnapshot);
        }
        if xmin == 0 || xmin > xmax {
            return Err(InvalidSnapshot);
        }
        Ok(Self { xmax, open, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_is_read_as_postgres_reads_it() {
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
    fn transaction_is_seen_if_it_had_ended() {
        let snapshot: Snapshot = "10:20:10,14".parse().unwrap();
        let seen: Vec<u64> = (8..22).filter(|xact| snapshot.sees(*xact)).collect();
        assert_eq!(seen, [8, 9, 11, 12, 13, 15, 16, 17, 18, 19]);
        assert!(!Snapshot::empty().sees(1));
    }
}
