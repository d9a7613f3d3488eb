//! `edgeward db create|drop`.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use tokio::time::timeout;

use super::{connect, read_settings, say};
use crate::config::Database;
use crate::db::databases;

/// How long making or dropping may take: it copies or deletes files, and waits for others who do.
const LIMIT: Duration = Duration::from_mins(1);

#[derive(Subcommand)]
pub(super) enum Db {
    /// Make the database, unless it is there
    Create,
    /// Drop the database with everything in it
    Drop {
        /// Yes, everything in it
        #[arg(long)]
        yes: bool,
    },
}

impl Db {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let database: Database = read_settings()?;
        if let Self::Drop { yes: false } = self {
            bail!("this drops {database} with everything in it; say --yes to do it")
        }
        let name = database.options.get_database().unwrap_or_default();
        let options = database.options.clone().database(databases::MAINTENANCE);
        let connection = &mut connect::connect(&Database { options, ..database.clone() }).await?;
        let done = async {
            Ok::<_, sqlx::Error>(match self {
                Self::Create if databases::create(connection, name).await? => {
                    "is made; run: edgeward migrate run"
                }
                Self::Create => "exists",
                Self::Drop { .. } => {
                    databases::drop(connection, name).await?;
                    "is dropped"
                }
            })
        };
        let done = timeout(LIMIT, done).await.with_context(|| format!("{database}: no answer"))?;
        say(format_args!("{database} {}", done.with_context(|| database.to_string())?))
    }
}
