//! The command line: its grammar, and the call of each command. One file a command; `connect`, `list` and `shutdown` are shared.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use edgeward_wire::VERSION;

use crate::clock::{Clock, SystemClock};
use crate::config::{self, Environment, Section};

mod audit;
mod completions;
mod config_;
mod connect;
mod db;
mod filter;
mod health;
mod keys;
mod list;
mod mail;
mod man;
mod migrate;
mod openapi;
mod serve;
mod session;
mod shutdown;
mod user;

/// Cookie-session auth for Envoy: the companion service and its tools.
///
/// Settings come from the environment and from the file that `APP_ENV` selects: .env.prod, .env.dev or .env.test.
/// `edgeward config check` prints them.
#[derive(Parser)]
#[command(name = "edgeward", version = VERSION, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Serve),
    /// Apply, revert or list the database's migrations
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Create or drop the database
    #[command(subcommand)]
    Db(db::Db),
    /// Generate, rotate or list the keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Create, list and change users
    #[command(subcommand)]
    User(user::User),
    /// List and end the sessions of a user
    #[command(subcommand)]
    Session(session::Session),
    /// List mails that were given up, and have them tried again
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Print the audit log, newest first
    Audit(audit::Audit),
    /// Check that the running service is ready, for container health checks; exit code 0 if it is
    Health(health::Health),
    /// Check and print the settings
    #[command(subcommand)]
    Config(config_::Config),
    /// Print the OpenAPI document of the API, with the default settings
    Openapi,
    /// Check a configuration of the filter, explain a request, or test requests, offline
    #[command(subcommand)]
    Filter(filter::Filter),
    /// Print the completions of this command line for a shell
    Completions(completions::Completions),
    /// Print the manual page
    Man(man::Man),
}

/// Runs the command of the command line. An error is written to standard error, with exit code 1.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The reader has closed the pipe, as `head` does: no error.
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
            {
                return ExitCode::SUCCESS;
            }
            _ = writeln!(io::stderr(), "edgeward: {}", describe(&error));
            ExitCode::FAILURE
        }
    }
}

/// Describes an error and its causes, without causes that the text contains already.
fn describe(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        text if text.contains(&cause) => text.to_owned(),
        text => format!("{text}: {cause}"),
    })
}

/// Writes a message to standard error.
fn warn(message: &dyn Display) {
    _ = writeln!(io::stderr(), "edgeward: {message}");
}

/// Writes a line to standard output.
fn print_line(line: impl Display) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

impl Command {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(serve) => block_on(serve.run()),
            Self::Migrate(migrate) => block_on(migrate.run()),
            Self::Db(db) => block_on(db.run()),
            Self::Keys(keys) => block_on(keys.run(Arc::new(SystemClock))),
            Self::User(user) => block_on(user.run(Arc::new(SystemClock))),
            Self::Session(session) => block_on(session.run(Arc::new(SystemClock))),
            Self::Mail(mail) => block_on(mail.run(Arc::new(SystemClock))),
            Self::Audit(audit) => block_on(audit.run(Arc::new(SystemClock))),
            Self::Health(health) => block_on(health.run()),
            Self::Config(config) => config.run(),
            Self::Openapi => openapi::run(),
            Self::Filter(filter) => filter.run(SystemClock.now()),
            Self::Completions(completions) => completions.run(),
            Self::Man(man) => man.run(),
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

    use super::describe;

    #[test]
    fn no_cause_is_repeated() {
        let check = |error: anyhow::Error, expected| assert_eq!(describe(&error), expected);
        check(anyhow!("no disk").context("cannot write"), "cannot write: no disk");
        check(
            anyhow!("no disk").context("no disk").context("while writing: no disk"),
            "while writing: no disk",
        );
    }
}
