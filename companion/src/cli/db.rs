//! `edgeward db create|drop`.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use tokio::time::timeout;

use super::{connect, print_line, read_settings};
use crate::config::Database;
use crate::db::connection::Connection;
use crate::db::{databases, pooler};

/// Maximum duration of creating or dropping a database, which copies or deletes files and waits for concurrent
/// commands.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Subcommand)]
pub(super) enum Db {
    /// Create the database if it does not exist
    Create,
    /// Drop the database with all its data
    Drop {
        /// Confirm that all data are deleted
        #[arg(long)]
        yes: bool,
    },
}

impl Db {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let database: Database = read_settings()?;
        if let Self::Drop { yes: false } = self {
            bail!("this drops {database} with all its data; confirm with --yes")
        }
        let database = database.direct();
        pooler::require_session(&database)?;
        let mut connection = connect::connect(&database.sibling(databases::MAINTENANCE)).await?;
        let outcome = timeout(TIMEOUT, self.execute(&mut connection, &database))
            .await
            .with_context(|| format!("{database}: no response within {} s", TIMEOUT.as_secs()))??;
        print_line(format_args!("{database} {outcome}"))
    }

    async fn execute(self, connection: &mut Connection, database: &Database) -> anyhow::Result<&'static str> {
        let name = database.name();
        match self {
            Self::Create => {
                let is_new =
                    databases::create(connection, name).await.with_context(|| database.to_string())?;
                Ok(if is_new { "is created; run: edgeward migrate run" } else { "exists" })
            }
            Self::Drop { .. } => {
                databases::drop(connection, name).await.with_context(|| database.to_string())?;
                Ok("is dropped")
            }
        }
    }
}
