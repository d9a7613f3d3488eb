//! `edgeward migrate run|revert|status`.

use clap::Subcommand;

use super::{connect, print_line, read_settings};
use crate::config::Database;
use crate::db::schema;

#[derive(Subcommand)]
pub(super) enum Migrate {
    /// Apply the pending migrations
    Run,
    /// Revert the last migration, and delete the data in what it added
    Revert,
    /// List each migration and its state
    Status,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let database: Database = read_settings()?;
        let mut connection = connect::connect_to_migrate(&database).await?;
        match self {
            Self::Run => schema::run(&mut connection).await?,
            Self::Revert => match schema::revert(&mut connection).await? {
                Some(version) => print_line(format_args!("reverted {version:04}"))?,
                None => print_line("there is no migration to revert")?,
            },
            Self::Status => {}
        }
        for migration in schema::status(&mut connection).await? {
            print_line(migration)?;
        }
        Ok(())
    }
}
