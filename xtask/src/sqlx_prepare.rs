//! `cargo xtask sqlx-prepare`: describes every query by means of a real database, for builds without one.

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
    log("describing every query");
    let descriptions = paths::root().join(".sqlx");
    if descriptions.exists() {
        fs::remove_dir_all(&descriptions)?;
    }
    fs::create_dir(&descriptions)?;
    touch_companion()?;
    let mut check = cargo::command();
    check.args(["check", "--package", "edgeward-companion", "--all-targets"]);
    run(with_database(&mut check, &url).env("SQLX_OFFLINE_DIR", &descriptions))?;
    drop(server);
    postgres::erase(&directory)?;
    log("done: commit .sqlx");
    Ok(())
}

/// Returns the command that applies the migrations. The companion cannot be compiled for it while one of its queries is new.
fn apply_migrations() -> Command {
    let mut command = cargo::command();
    command.args(["run", "--package", "edgeward-kit", "--no-default-features", "--features", "migrate"]);
    command.args(["--bin", "apply-migrations"]);
    command
}

/// Touches a source file of the companion: cargo does not notice a change of the database.
fn touch_companion() -> Result<()> {
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
    bail!("the SQL does not match the schema: see above. `git checkout .sqlx` restores the old descriptions")
}
