//! `edgeward completions`: what a shell completes after `edgeward`.

use std::io;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::aot::{Generator as _, Shell};

use super::Cli;

#[derive(Args)]
pub(super) struct Completions {
    /// Shell to print them for
    #[arg(value_enum)]
    shell: SupportedShell,
}

/// Shells whose completions are tested.
#[derive(Clone, Copy, ValueEnum)]
enum SupportedShell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// Prints the script.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let shell = match self.shell {
            SupportedShell::Bash => Shell::Bash,
            SupportedShell::Zsh => Shell::Zsh,
            SupportedShell::Fish => Shell::Fish,
        };
        let mut command = Cli::command();
        command.set_bin_name("edgeward");
        command.build();
        Ok(shell.try_generate(&command, &mut io::stdout())?)
    }
}
