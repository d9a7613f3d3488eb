//! `edgeward migrate run|revert|status`.

use clap::Subcommand;

use super::{connect, read_settings, say};
use crate::config::Database;
use crate::db::schema;

#[derive(Subcommand)]
pub(super) enum Migrate {
    /// Apply what is pending
    Run,
    /// Take back the last migration, with the data it made room for
    Revert,
    /// List each migration and whether it is applied
    Status,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let database: Database = read_settings()?;
        let mut connection = connect::connect_to_migrate(&database).await?;
        match self {
            Self::Run => schema::run(&mut connection).await?,
            Self::Revert => match schema::revert(&mut connection).await? {
                Some(version) => say(format_args!("took back {version:04}"))?,
                None => say("there is nothing to take back")?,
            },
            Self::Status => {}
        }
        for step in schema::status(&mut connection).await? {
            say(step)?;
        }
        Ok(())
    }
}
