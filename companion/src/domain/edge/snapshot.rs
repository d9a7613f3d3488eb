//! Snapshots of Postgres: which transactions were visible at a moment, however long others stay open.

use std::str::FromStr;

use thiserror::Error;

/// Snapshot as Postgres writes it, `xmin:xmax:xip,…`. Transactions before `xmin` were visible, those from `xmax` on
/// were not, and those of the list were still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
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
        Self::before(1)
    }

    /// Makes the snapshot that all transactions before `xmin` are visible in, and no others.
    fn before(xmin: u64) -> Self {
        Self { xmin, xmax: xmin, text: format!("{xmin}:{xmin}:") }
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

    /// Returns the snapshot itself if its text has at most `bytes`. Otherwise returns a short one, in which no more
    /// transactions are visible, and maybe fewer.
    #[must_use]
    pub fn shortened_to(self, bytes: usize) -> Self {
        if self.text.len() <= bytes { self } else { Self::before(self.xmin) }
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
}
