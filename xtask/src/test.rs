//! `cargo xtask test`: builds what the tests need besides themselves, and runs every test there is.

use anyhow::{Result, bail};
use edgeward_tests::stack::{cargo, envoy, postgres, process};

use crate::progress;

pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let mut log = progress::timed();
    envoy::find_or_install(&mut log)?;
    postgres::find_or_install(&mut log)?;
    log("building the filter");
    cargo::build_filter()?;
    log("building the companion and the demo upstream");
    cargo::build_programs()?;
    log("building and running the tests");
    run(&["test", "--workspace"], arguments)?;
    log("every test has passed");
    Ok(())
}

fn run(subcommand: &[&str], arguments: &[String]) -> Result<()> {
    if process::run(cargo::command().args(subcommand).args(arguments))?.success() {
        return Ok(());
    }
    bail!("`cargo {}` failed: see above", subcommand.join(" "))
}
