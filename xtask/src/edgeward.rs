//! `cargo xtask edgeward`: runs a command of the companion with the settings of the stack that `cargo xtask up` started.

use std::convert::Infallible;
use std::os::unix::process::CommandExt as _;

use anyhow::{Context as _, Result};
use edgeward_stack::{Plan, companion::Companion};

/// Becomes the command, which reads this terminal. Paths among its arguments are relative to the target folder.
pub(crate) fn become_command(arguments: &[String]) -> Result<Infallible> {
    let mut command = Companion::of_running(&Plan::local(false)?)?.command();
    Err(command.args(arguments).exec()).context("cannot run the companion")
}
