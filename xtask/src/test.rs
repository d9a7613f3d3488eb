//! `cargo xtask test`: builds the product and runs the tests.

use anyhow::{Result, bail};
use edgeward_stack::shell::Shell;
use edgeward_stack::{browser, cargo, envoy, postgres, process};

use crate::{client, filter, progress};

/// Arguments that select the tests that take minutes. They measure times, and each loads the machine: one runs at a time.
const SLOW: [&str; 2] = ["--ignored", "--test-threads=1"];

/// Runs every test that is not ignored and, with `all`, the ignored ones after them.
pub(crate) fn test(all: bool, arguments: &[String]) -> Result<()> {
    let mut log = progress::timed();
    envoy::find_or_install(&mut log)?;
    postgres::find_or_install(&mut log)?;
    log("building the filter");
    filter::build(Shell::chosen()?)?;
    log("building the companion and the demo upstream");
    cargo::build_programs()?;
    log("building the TypeScript client");
    client::build()?;
    log("building and running the tests");
    run(arguments)?;
    if all {
        log("running the tests that take minutes");
        run(&slow(arguments))?;
    }
    match browser::find() {
        Ok(_) => log("every test has passed"),
        Err(missing) => {
            log(&format!("every test has passed, but those in a browser were SKIPPED: {missing}"));
        }
    }
    Ok(())
}

/// Adds [`SLOW`] to the arguments of the test programs, which follow `--`.
fn slow(arguments: &[String]) -> Vec<String> {
    let separator = if arguments.iter().any(|argument| argument == "--") { None } else { Some("--") };
    let added = separator.into_iter().chain(SLOW).map(str::to_owned);
    arguments.iter().cloned().chain(added).collect()
}

fn run(arguments: &[String]) -> Result<()> {
    if process::run(cargo::command().args(["test", "--workspace"]).args(arguments))?.success() {
        return Ok(());
    }
    bail!("`cargo test --workspace {}` failed: see above", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_tests_are_selected_after_other_arguments() {
        for (arguments, expected) in [
            ("", "-- --ignored --test-threads=1"),
            ("--test soak", "--test soak -- --ignored --test-threads=1"),
            ("soak -- --nocapture", "soak -- --nocapture --ignored --test-threads=1"),
        ] {
            let arguments: Vec<_> = arguments.split_whitespace().map(str::to_owned).collect();
            assert_eq!(slow(&arguments).join(" "), expected);
        }
    }
}
