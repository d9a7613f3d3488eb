//! `edgeward config check`.

use clap::Subcommand;

use super::{Environment, say};
use crate::config;

#[derive(Subcommand)]
pub(super) enum Config {
    /// Print what every setting came to, or every mistake
    Check,
}

impl Config {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Check = self;
        let (_, effective) = config::read_effective::<config::Config>(&Environment::read())?;
        for setting in effective {
            say(format_args!("{}={}", setting.name, setting.value))?;
        }
        Ok(())
    }
}
