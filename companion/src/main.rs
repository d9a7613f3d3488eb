//! The binary `edgeward`: parses the command line and hands over.

use std::process::ExitCode;

fn main() -> ExitCode {
    edgeward_companion::cli::run()
}
