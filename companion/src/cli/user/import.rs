//! `edgeward user import`.

mod bounded;
mod csv_rows;
mod json_rows;
mod source;
mod table_rows;

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use self::source::{SourceRow, open};
use super::format::Format;
use super::print_line;
use crate::domain::account::import::{Origin, RowMistake};
use crate::service::Context;
use crate::service::account::{Compared, Import as UseCase};

/// Number of rows between two lines of progress.
const PROGRESS: u64 = 10_000;

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct Import {
    /// CSV or JSON lines; `-` is standard input
    #[arg(required_unless_present = "from_postgres")]
    file: Option<PathBuf>,
    /// Format of the file, instead of the one that its extension says: .csv, .jsonl or .ndjson
    #[arg(long, conflicts_with = "from_postgres")]
    format: Option<Format>,
    /// Read a table of the database that `IMPORT_DATABASE_URL` (or `IMPORT_DATABASE_URL_FILE`) names. It is only read
    #[arg(long, conflicts_with = "file")]
    from_postgres: bool,
    /// Table of that database, as in SQL
    #[arg(long, default_value = "users", requires = "from_postgres")]
    table: String,
    /// Check every row, also against the users, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Keep the IDs of the rows, instead of giving new ones
    #[arg(long)]
    keep_ids: bool,
    /// Take `$2b$` hashes as Edgeward's own: they are of no truncated password. For what `user export` has written
    #[arg(long)]
    own_hashes: bool,
    /// Write the rows without mistakes, instead of none
    #[arg(long)]
    skip_invalid: bool,
    /// Skip rows whose e-mail address a user has: the same command again completes an import that was interrupted
    #[arg(long)]
    skip_existing: bool,
    /// Leave out columns that are not known
    #[arg(long)]
    ignore_unknown_columns: bool,
}

/// Numbers of rows.
#[derive(Default)]
struct Counts {
    read: u64,
    invalid: u64,
}

impl Import {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let mut counts = Counts::default();
        let origin = Origin { keep_ids: self.keep_ids, own_hashes: self.own_hashes };
        let mut import = UseCase::begin(context, origin).await?;
        self.read_all(&mut import, &mut counts).await?;
        let mut on_mistake = |place: &str, mistake| counts.reject(place, &[mistake]);
        let compared = import.compare(self.skip_existing, &mut on_mistake).await?;
        if self.dry_run || (counts.invalid > 0 && !self.skip_invalid) {
            self.summarize(&counts, 0, compared)?;
            return counts.finish("nothing was written");
        }
        let mut written = Counts::default();
        let mut said = 0;
        let mut on_progress = |imported| {
            if imported >= said + PROGRESS {
                said = imported;
                say(&format!("imported {imported} of {}", compared.ready));
            }
        };
        let mut on_mistake = |place: &str, mistake| written.reject(place, &[mistake]);
        let imported = import.write(&mut on_progress, &mut on_mistake).await?;
        counts.invalid += written.invalid;
        self.summarize(&counts, imported, compared)?;
        counts.finish("the other rows were written")
    }

    async fn read_all(&self, import: &mut UseCase<'_>, counts: &mut Counts) -> anyhow::Result<()> {
        let mut connection = source::connect(self).await?;
        let mut source = open(self, connection.as_mut()).await?;
        while let Some(SourceRow { place, row }) = source.next().await? {
            counts.read += 1;
            let mistakes = match row {
                Ok(row) => import.add(&place, &row).await?,
                Err(mistakes) => mistakes,
            };
            if !mistakes.is_empty() {
                counts.reject(&place, &mistakes);
            }
            if counts.read.is_multiple_of(PROGRESS) {
                say(&format!("read {}", counts.read));
            }
        }
        Ok(())
    }

    fn summarize(&self, counts: &Counts, imported: u64, compared: Compared) -> anyhow::Result<()> {
        let Compared { ready, without_password, existing } = compared;
        let (read, invalid) = (counts.read, counts.invalid);
        let imported = if self.dry_run {
            format!("could be imported {ready} (dry run)")
        } else {
            format!("imported {imported}")
        };
        print_line(format_args!("read {read}, {imported}, skipped {existing}, with mistakes {invalid}"))?;
        if without_password > 0 && (self.dry_run || counts.invalid == 0 || self.skip_invalid) {
            say(&format!(
                "{without_password} users have no password: they cannot sign in before edgeward user set-password"
            ));
        }
        Ok(())
    }
}

impl Counts {
    /// Counts a row with mistakes, and names each.
    fn reject(&mut self, place: &str, mistakes: &[RowMistake]) {
        self.invalid += 1;
        for mistake in mistakes {
            say(&format!("{place}, {mistake}"));
        }
    }

    fn finish(&self, outcome: &str) -> anyhow::Result<()> {
        if self.invalid == 0 {
            return Ok(());
        }
        bail!("{} rows have mistakes, {outcome}", self.invalid)
    }
}

/// Writes a line to standard error, as progress and mistakes are no result.
fn say(line: &str) {
    _ = writeln!(io::stderr(), "{line}");
}
