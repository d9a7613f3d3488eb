//! `cargo xtask`: what developers of Edgeward run; never what its users' machines run.

mod bench;
mod check;
mod features;
mod filter;
mod notices;
mod progress;
mod settings;
mod sqlx_prepare;
mod test;
mod tool;
mod up;
mod walls;

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use edgeward_stack::{paths, process, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Runs, tests and checks Edgeward
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build and start the whole product on this machine, until Ctrl-C
    Up {
        /// Start from an empty database
        #[arg(long)]
        fresh: bool,
    },
    /// Build what the tests need, and run every test but those that take minutes
    Test {
        /// Then those that take minutes too, one at a time
        #[arg(long)]
        all: bool,
        /// Passed on to `cargo test --workspace`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the filter for a gateway of your own: target/edgeward.wasm
    Filter,
    /// Measure what Edgeward costs, beside what else could do its work
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
    /// Check formatting, lints, documentation, licences and dependencies
    Check {
        /// Check dependencies for known vulnerabilities alone, which needs the network
        #[arg(long)]
        advisories: bool,
    },
    /// Write the licence texts of dependencies that are shipped, after a dependency was added or updated
    Notices,
    /// Write the documents about the companion's settings, after a change to their table
    Settings,
    /// Install the pre-commit hook, which checks formatting and lints
    Hooks,
    /// Renew what the compiler knows about the database's answers (.sqlx), after a change to SQL or schema
    SqlxPrepare,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(&format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    // Every wait and every child process ends when one of these comes; nothing is left running.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, wait::stop_flag()).context("cannot listen for signals")?;
    }
    match task {
        Task::Up { fresh } => up::up(fresh),
        Task::Test { all, arguments } => test::test(all, &arguments),
        Task::Filter => build_filter(),
        Task::Bench { what } => bench::bench(&what),
        Task::Check { advisories } => check::check(advisories),
        Task::Notices => notices::write(),
        Task::Settings => settings::write(),
        Task::Hooks => install_hooks(),
        Task::SqlxPrepare => sqlx_prepare::prepare(),
    }
}

fn build_filter() -> Result<()> {
    filter::build()?;
    progress::say(&format!("The plugin is {}", paths::filter_wasm().display()));
    Ok(())
}

fn install_hooks() -> Result<()> {
    let mut git = Command::new("git");
    process::output(git.current_dir(paths::root()).args(["config", "core.hooksPath", ".githooks"]))?;
    progress::say("Commits are now checked by .githooks/pre-commit; `git commit --no-verify` goes without.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_all_is_passed_on() {
        for (line, expected) in [
            ("xtask test", (false, "")),
            ("xtask test --all", (true, "")),
            ("xtask test --test soak -- --nocapture", (false, "--test soak -- --nocapture")),
            ("xtask test --all --test soak -- --nocapture", (true, "--test soak -- --nocapture")),
        ] {
            let Task::Test { all, arguments } = Arguments::parse_from(line.split(' ')).task else {
                panic!("{line}: another task");
            };
            assert_eq!((all, arguments.join(" ").as_str()), expected, "{line}");
        }
    }
}
