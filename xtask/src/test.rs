//! `cargo xtask test`: builds the product and runs the tests.

use anyhow::{Result, bail};
use edgeward_stack::shell::{self, Shell};
use edgeward_stack::{browser, cargo, envoy, postgres, process};

use crate::{client, filter, progress};

/// Arguments that select the tests that take minutes. They measure times, and each loads the machine: one runs at a time.
const SLOW: [&str; 2] = ["--ignored", "--test-threads=1"];

/// Arguments that select the tests that send requests through Envoy. They hold for both shells of the filter.
const THROUGH_ENVOY: [&str; 4] = ["--test", "gateway*", "--test", "soak"];

/// Runs every test that is not ignored and, with `all`, the ignored ones after them.
pub(crate) fn test(all: bool, arguments: &[String]) -> Result<()> {
    let runs = runs(Shell::named()?, arguments);
    let mut log = progress::timed();
    envoy::find_or_install(&mut log)?;
    postgres::find_or_install(&mut log)?;
    for (shell, _) in &runs {
        log(&format!("building the filter: {}", shell.name()));
        filter::build(*shell)?;
    }
    log("building the companion and the demo upstream");
    cargo::build_programs()?;
    log("building the TypeScript client");
    client::build()?;
    for (shell, arguments) in &runs {
        log(&format!("building and running the tests: {}", shell.name()));
        run(*shell, arguments)?;
    }
    for (shell, arguments) in runs.iter().filter(|_| all) {
        log(&format!("running the tests that take minutes: {}", shell.name()));
        run(*shell, &slow(arguments))?;
    }
    match browser::find() {
        Ok(_) => log("every test has passed"),
        Err(missing) => {
            log(&format!("every test has passed, but those in a browser were SKIPPED: {missing}"));
        }
    }
    Ok(())
}

/// Returns the shells to test, each with the arguments of its tests. Without any, all tests run with the plugin, and then those
/// through Envoy with the native module.
fn runs(named: Option<Shell>, arguments: &[String]) -> Vec<(Shell, Vec<String>)> {
    let through_envoy = || THROUGH_ENVOY.map(str::to_owned).to_vec();
    match named {
        None if arguments.is_empty() => {
            vec![(Shell::Wasm, Vec::new()), (Shell::Native, through_envoy())]
        }
        Some(Shell::Native) if arguments.is_empty() => vec![(Shell::Native, through_envoy())],
        named => vec![(named.unwrap_or(Shell::Wasm), arguments.to_vec())],
    }
}

/// Adds [`SLOW`] to the arguments of the test programs, which follow `--`.
fn slow(arguments: &[String]) -> Vec<String> {
    let separator = if arguments.iter().any(|argument| argument == "--") { None } else { Some("--") };
    let added = separator.into_iter().chain(SLOW).map(str::to_owned);
    arguments.iter().cloned().chain(added).collect()
}

fn run(shell: Shell, arguments: &[String]) -> Result<()> {
    let mut command = cargo::command();
    command.args(["test", "--workspace"]).args(arguments).env(shell::VARIABLE, shell.name());
    if process::run(&mut command)?.success() {
        return Ok(());
    }
    let (variable, shell) = (shell::VARIABLE, shell.name());
    bail!("`{variable}={shell} cargo test --workspace {}` failed: see above", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateway_is_tested_with_both_shells_unless_one_is_selected() {
        let both = "--test gateway* --test soak";
        for (named, arguments, expected) in [
            (None, "", &[(Shell::Wasm, ""), (Shell::Native, both)][..]),
            (None, "--test soak", &[(Shell::Wasm, "--test soak")]),
            (Some(Shell::Wasm), "", &[(Shell::Wasm, "")]),
            (Some(Shell::Native), "", &[(Shell::Native, both)]),
            (Some(Shell::Native), "--test soak", &[(Shell::Native, "--test soak")]),
        ] {
            let arguments: Vec<_> = arguments.split_whitespace().map(str::to_owned).collect();
            let runs = runs(named, &arguments);
            let runs: Vec<_> = runs.iter().map(|(shell, arguments)| (*shell, arguments.join(" "))).collect();
            let expected: Vec<_> =
                expected.iter().map(|(shell, text)| (*shell, (*text).to_owned())).collect();
            assert_eq!(runs, expected, "{named:?} {arguments:?}");
        }
    }

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
