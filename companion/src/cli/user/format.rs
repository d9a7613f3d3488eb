//! Formats of files of users.

use std::path::Path;

use anyhow::anyhow;
use clap::ValueEnum;

/// Format of a file of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Comma-separated values with a header (RFC 4180)
    Csv,
    /// A JSON object in each line
    Jsonl,
}

impl Format {
    /// Returns the given format, or the one of a file's extension.
    pub(super) fn of(given: Option<Self>, path: &Path) -> anyhow::Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        given
            .or(match extension {
                Some("csv") => Some(Self::Csv),
                Some("jsonl" | "ndjson") => Some(Self::Jsonl),
                _ => None,
            })
            .ok_or_else(|| {
                anyhow!("{}: the extension names no format: say --format csv or jsonl", path.display())
            })
    }
}
