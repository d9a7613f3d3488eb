//! `edgeward config`: the settings in effect, their defaults, and the documents about them.

use clap::{Subcommand, ValueEnum};

use super::{Environment, print_line, warn};
use crate::config::{self, reference};

/// Consequence of settings without a mail server.
pub(super) const NO_MAIL: &str =
    "no mail is sent: SMTP_URL is not set, so nobody can reset a forgotten password";

#[derive(Subcommand)]
pub(super) enum Config {
    /// Print every setting in effect, or every mistake
    Check {
        /// Print every setting's default instead, as lines of a settings file; the environment is not read
        #[arg(long)]
        print_defaults: bool,
    },
    /// Print a document that is generated from the table of settings, for `cargo xtask settings`
    #[command(hide = true)]
    Reference {
        #[arg(long)]
        format: Format,
    },
}

/// Document about the settings.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// docs/reference/settings.md
    Markdown,
    /// .env.example
    Env,
}

impl Config {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let text = match self {
            Self::Check { print_defaults: true } => reference::defaults(),
            Self::Check { print_defaults: false } => return check(),
            Self::Reference { format: Format::Markdown } => reference::markdown(),
            Self::Reference { format: Format::Env } => reference::env_example(),
        };
        print_line(text.trim_end())
    }
}

fn check() -> anyhow::Result<()> {
    let (config, effective) = config::read_effective::<config::Config>(&Environment::read())?;
    for setting in effective {
        print_line(format_args!("{}={}", setting.name, setting.value))?;
    }
    if config.mail.delivery.is_none() {
        warn(&NO_MAIL);
    }
    Ok(())
}
