//! `cargo xtask`: commands for developers of Edgeward.

mod alerts;
mod bench;
mod book;
mod check;
mod client;
mod commit;
mod documents;
mod edgeward;
mod features;
mod files;
mod filter;
mod generated;
mod matrix;
mod notices;
mod openapi;
mod progress;
mod references;
mod release;
mod screenshots;
mod settings;
mod sqlx_prepare;
mod test;
mod tool;
mod up;
mod walls;

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use edgeward_stack::shell::Shell;
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
    /// Build the whole product and run it on this machine, until Ctrl-C
    Up {
        /// Start from an empty database
        #[arg(long)]
        fresh: bool,
        /// Run the filter as the native module of Envoy
        #[arg(long)]
        native: bool,
    },
    /// Run a command of the companion, such as `user list`, in the stack that `up` has started
    Edgeward {
        /// Passed on to `edgeward`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the product and run every test but those that take minutes
    Test {
        /// Run those that take minutes too, one at a time, after the others
        #[arg(long)]
        all: bool,
        /// Passed on to `cargo test --workspace`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the tests of the gateway with each supported Envoy, and those of the API with the oldest and newest Postgres
    Matrix,
    /// Build the plugin for another gateway: target/edgeward.wasm
    Filter {
        /// Build the native module of Envoy instead: target/libedgeward.so
        #[arg(long)]
        native: bool,
    },
    /// Measure the cost of Edgeward and of its alternatives
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
    /// Make what a release consists of: target/release-files
    Release {
        #[command(subcommand)]
        what: release::What,
    },
    /// Check formatting, lints, documentation, licences and dependencies
    Check {
        /// Check dependencies for known vulnerabilities alone, which needs the network
        #[arg(long)]
        advisories: bool,
    },
    /// Write the licence texts of shipped dependencies, after a dependency was added or updated
    Notices,
    /// Write the documents about the companion's settings, after a change of their table
    Settings,
    /// Write the gateway's configuration for the native module, after a change of envoy/envoy.yaml
    NativeGateway,
    /// Write the OpenAPI document and the types of the TypeScript client, after a change of the API
    Openapi,
    /// Write the documents that are made from the code: rejections, filter's settings, command line, promises, diagrams
    References,
    /// Build the documents as a book: target/book
    Docs,
    /// Take the pictures of the documents anew: docs/images
    Screenshots,
    /// Install the pre-commit hook, which checks formatting and lints
    Hooks,
    /// Write the descriptions of all queries (.sqlx), after a change of SQL or schema
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
    // Each of these ends every wait and every child process.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, wait::stop_flag()).context("cannot listen for signals")?;
    }
    match task {
        Task::Up { fresh, native } => up::up(fresh, shell(native)),
        Task::Edgeward { arguments } => edgeward::become_command(&arguments).map(|never| match never {}),
        Task::Test { all, arguments } => test::test(all, &arguments),
        Task::Matrix => matrix::run(),
        Task::Filter { native } => build_filter(shell(native)),
        Task::Bench { what } => bench::bench(&what),
        Task::Release { what } => release::release(&what),
        Task::Check { advisories } => check::check(advisories),
        Task::Notices => notices::write(),
        Task::Settings => settings::write(),
        Task::NativeGateway => filter::write_native_gateway(),
        Task::Openapi => openapi::write().and_then(|()| client::write()),
        Task::References => references::write(),
        Task::Docs => book::build(),
        Task::Screenshots => screenshots::take(),
        Task::Hooks => install_hooks(),
        Task::SqlxPrepare => sqlx_prepare::prepare(),
    }
}

const fn shell(native: bool) -> Shell {
    if native { Shell::Native } else { Shell::Wasm }
}

fn build_filter(shell: Shell) -> Result<()> {
    filter::build_to_ship(shell)?;
    progress::say(&format!("filter: {}", shell.file().display()));
    Ok(())
}

fn install_hooks() -> Result<()> {
    let mut git = Command::new("git");
    process::output(git.current_dir(paths::root()).args(["config", "core.hooksPath", ".githooks"]))?;
    progress::say(".githooks/pre-commit now checks every commit. `git commit --no-verify` skips it.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_after_all_are_passed_on() {
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
