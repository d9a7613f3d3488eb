//! `edgeward man`: manual pages, made from the grammar of the command line.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use super::Cli;

#[derive(Args)]
pub(super) struct Man {
    /// Directory to write a page for each command to, such as /usr/local/share/man/man1; it is created
    directory: Option<PathBuf>,
}

impl Man {
    /// Prints the page of `edgeward`, or writes those of all commands.
    pub(super) fn run(self) -> anyhow::Result<()> {
        // `help` has no page, as a manual needs no help.
        let command = Cli::command().disable_help_subcommand(true);
        let Some(directory) = self.directory else {
            return Ok(clap_mangen::Man::new(command).render(&mut io::stdout())?);
        };
        fs::create_dir_all(&directory)
            .and_then(|()| clap_mangen::generate_to(command, &directory))
            .with_context(|| format!("cannot write manual pages to {}", directory.display()))
    }
}
