//! The command line: what can be said, and who does it. One file a command; nothing is done here.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::clock::{Clock, SystemClock};
use crate::config::{self, Environment, Section};

mod config_;
mod connect;
mod db;
mod health;
mod keys;
mod migrate;
mod serve;
mod user;

/// Cookie-session auth for Envoy: the companion service and its tools.
///
/// Settings come from the environment and from a file named .env.prod (.env.dev, .env.test, by what `APP_ENV`
/// says); `edgeward config check` shows them.
#[derive(Parser)]
#[command(name = "edgeward", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Serve),
    /// Apply, take back or list the database's migrations
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Make or drop the database
    #[command(subcommand)]
    Db(db::Db),
    /// Make, rotate or list the keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Make, list and change users
    #[command(subcommand)]
    User(user::User),
    /// Ask the running service whether it is ready: exit code 0 if it is, for container health checks
    Health(health::Health),
    /// Look at the settings
    #[command(subcommand)]
    Config(config_::Config),
}

/// Does what the command line says. What goes wrong is told on standard error, with exit code 1.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever read along has heard enough, as `head` has.
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
            {
                return ExitCode::SUCCESS;
            }
            _ = writeln!(io::stderr(), "edgeward: {}", tell(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, less those that the error before has told already.
fn tell(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        told if told.contains(&cause) => told.to_owned(),
        told => format!("{told}: {cause}"),
    })
}

/// Writes a line to standard error, for whoever waits.
fn warn(line: &dyn Display) {
    _ = writeln!(io::stderr(), "edgeward: {line}");
}

/// Writes a line to standard output.
fn say(line: impl Display) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

impl Command {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(serve) => block_on(serve.run()),
            Self::Migrate(migrate) => block_on(migrate.run()),
            Self::Db(db) => block_on(db.run()),
            Self::Keys(keys) => keys.run(SystemClock.now()),
            Self::User(user) => block_on(user.run(Arc::new(SystemClock))),
            Self::Health(health) => block_on(health.run()),
            Self::Config(config) => config.run(),
        }
    }
}

fn block_on(task: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(task)
}

/// Reads the settings that a command needs, and no others.
fn read_settings<S: Section>() -> anyhow::Result<S> {
    Ok(config::read(&Environment::read())?)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::tell;

    #[test]
    fn no_cause_is_told_twice() {
        let check = |error: anyhow::Error, expected| assert_eq!(tell(&error), expected);
        check(anyhow!("no disk").context("cannot write"), "cannot write: no disk");
        check(
            anyhow!("no disk").context("no disk").context("while writing: no disk"),
            "while writing: no disk",
        );
    }
}
