//! `cargo xtask edgeward`: runs a command of the companion with the settings of the stack that `cargo xtask up` started.

use std::convert::Infallible;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use edgeward_stack::{Plan, companion::Companion, paths};

/// Command that is offline, by its first argument: it reads no settings, and its paths are those of the caller.
const OFFLINE: &str = "filter";

/// Becomes the command, which reads this terminal. Paths among its arguments are relative to the target folder, except those of
/// [`OFFLINE`].
pub(crate) fn become_command(arguments: &[String]) -> Result<Infallible> {
    let mut command = if arguments.first().is_some_and(|first| first == OFFLINE) {
        Command::new(paths::edgeward())
    } else {
        Companion::of_running(&Plan::local(false)?)?.command()
    };
    Err(command.args(arguments).exec()).context("cannot run the companion")
}
