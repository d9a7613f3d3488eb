//! `edgeward user export`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::{Map, Value};

use super::format::Format;
use crate::db::exports::Exported;
use crate::domain::account::import::Column;
use crate::domain::time::format_exactly;
use crate::service::{Context, account};

/// Columns of an export; the hashes follow if they are asked for.
const COLUMNS: [Column; 8] = [
    Column::Id,
    Column::FirstName,
    Column::LastName,
    Column::Email,
    Column::Role,
    Column::DisabledAt,
    Column::CreatedAt,
    Column::UpdatedAt,
];

#[derive(Args)]
pub(in crate::cli) struct Export {
    /// File to create, which its owner alone may read; standard output without one
    file: Option<PathBuf>,
    /// Format, instead of the one that the file's extension says: .csv, .jsonl or .ndjson
    #[arg(long, required_unless_present = "file")]
    format: Option<Format>,
    /// Export the bcrypt hashes of the passwords too, by which weak passwords can be guessed
    #[arg(long)]
    with_password_hashes: bool,
}

/// Writer of rows.
enum Rows<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json(W),
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let Some(path) = &self.file else {
            let format = Format::of(self.format, Path::new(""))?;
            return self.write(context, format, io::stdout().lock()).await;
        };
        let format = Format::of(self.format, path)?;
        let name = || path.display().to_string();
        let file = create(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                anyhow!("{} is there already: remove it, or name another file", path.display())
            }
            _ => anyhow::Error::new(error).context(format!("cannot create {}", path.display())),
        })?;
        let written = match self.write(context, format, &file).await {
            Ok(()) => file.sync_all().with_context(name),
            Err(error) => Err(error),
        };
        if written.is_err() {
            // A part would pass for the whole.
            fs::remove_file(path).ok();
        }
        written
    }

    async fn write(&self, context: &Context, format: Format, output: impl Write) -> anyhow::Result<()> {
        let mut columns = COLUMNS.to_vec();
        if self.with_password_hashes {
            columns.push(Column::PasswordHash);
        }
        let mut rows = Rows::new(format, BufWriter::new(output), &columns)?;
        account::export(context, self.with_password_hashes, |user| rows.write(&columns, &user)).await?;
        rows.finish()
    }
}

/// Creates a file that its owner alone may read. There must not be one: another's mode would be kept.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

impl<W: Write> Rows<W> {
    fn new(format: Format, output: W, columns: &[Column]) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Jsonl => Self::Json(output),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(output);
                writer.write_record(columns.iter().map(|column| column.name())).map_err(as_io)?;
                Self::Csv(Box::new(writer))
            }
        })
    }

    fn write(&mut self, columns: &[Column], user: &Exported) -> anyhow::Result<()> {
        let fields: Vec<_> = columns.iter().map(|column| text(*column, user)).collect();
        match self {
            Self::Csv(writer) => {
                let texts = fields.iter().map(|field| field.as_deref().unwrap_or_default());
                writer.write_record(texts).map_err(as_io)?;
            }
            Self::Json(output) => {
                let pairs = columns.iter().zip(fields).filter_map(|(column, field)| {
                    let value = match column {
                        Column::Id => Value::from(user.id.0),
                        _ => Value::from(field?),
                    };
                    Some((column.name().to_owned(), value))
                });
                writeln!(output, "{}", Value::Object(pairs.collect::<Map<_, _>>()))?;
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush()?,
            Self::Json(mut output) => output.flush()?,
        }
        Ok(())
    }
}

/// Returns the text of a field. `None` if it is empty.
fn text(column: Column, user: &Exported) -> Option<String> {
    match column {
        Column::Id => Some(user.id.to_string()),
        Column::FirstName => Some(user.first_name.as_str().to_owned()),
        Column::LastName => Some(user.last_name.as_str().to_owned()),
        Column::Email => Some(user.email.as_str().to_owned()),
        Column::Role => Some(user.role.as_str().to_owned()),
        Column::PasswordHash => user.hash.as_ref().map(|hash| hash.expose().to_owned()),
        Column::Disabled => None,
        Column::DisabledAt => user.disabled_at.map(format_exactly),
        Column::CreatedAt => Some(format_exactly(user.created_at)),
        Column::UpdatedAt => Some(format_exactly(user.updated_at)),
    }
}

/// Returns the failure of the output within an error of the CSV writer: a closed pipe is none (`cli/mod.rs`).
fn as_io(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        kind => anyhow!("a row cannot be written: {kind:?}"),
    }
}
