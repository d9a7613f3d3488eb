//! `cargo xtask sqlx-prepare`: asks a real database what every query answers, for builds that have none.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{Postgres, cargo, paths, postgres, process};

use crate::progress;

pub(crate) fn prepare() -> Result<()> {
    let mut log = progress::timed();
    let directory = paths::target().join("sqlx-prepare");
    log("starting Postgres");
    postgres::erase(&directory)?;
    let server = Postgres::start(&directory, &mut log)?;
    let url = server.url("postgres");
    log("running the migrations");
    run(with_database(&mut apply_migrations(), &url))?;
    log("asking the database about every query");
    let answers = paths::root().join(".sqlx");
    if answers.exists() {
        fs::remove_dir_all(&answers)?;
    }
    fs::create_dir(&answers)?;
    forget_companion()?;
    let mut check = cargo::command();
    check.args(["check", "--package", "edgeward-companion", "--all-targets"]);
    run(with_database(&mut check, &url).env("SQLX_OFFLINE_DIR", &answers))?;
    drop(server);
    postgres::erase(&directory)?;
    log("done: commit .sqlx");
    Ok(())
}

/// The companion cannot be compiled to migrate by itself as long as a query in it is new.
fn apply_migrations() -> Command {
    let mut command = cargo::command();
    command.args(["run", "--package", "edgeward-kit", "--no-default-features", "--features", "migrate"]);
    command.args(["--bin", "apply-migrations"]);
    command
}

/// Cargo does not see that the database has changed, but it does see that a source file has.
fn forget_companion() -> Result<()> {
    let source = paths::root().join("companion/src/lib.rs");
    let text = fs::read(&source)?;
    fs::write(&source, text).with_context(|| format!("cannot touch {}", source.display()))
}

fn with_database<'a>(command: &'a mut Command, url: &str) -> &'a mut Command {
    command.env("DATABASE_URL", url).env("SQLX_OFFLINE", "false")
}

fn run(command: &mut Command) -> Result<()> {
    if process::run(command)?.success() {
        return Ok(());
    }
    bail!("the SQL does not fit the schema: see above; `git checkout .sqlx` brings the old answers back")
}
