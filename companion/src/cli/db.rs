//! `edgeward db create|drop`.

use anyhow::{Context, bail};
use clap::Subcommand;

use super::read_settings;
use crate::config::Database;
use crate::db::databases;

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
        let options = &database.options;
        match self {
            Self::Create => {
                let made =
                    databases::create(options).await.with_context(|| format!("cannot make {database}"))?;
                println!("{database} {}", if made { "is made; run: edgeward migrate run" } else { "exists" });
            }
            Self::Drop { yes: false } => {
                bail!("this drops {database} with everything in it; say --yes to do it")
            }
            Self::Drop { yes: true } => {
                databases::drop(options).await.with_context(|| format!("cannot drop {database}"))?;
                println!("{database} is dropped");
            }
        }
        Ok(())
    }
}
