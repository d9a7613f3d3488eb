//! The TypeScript client: made from the OpenAPI document, checked and built, where Node and npm are found.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{paths, process};

use crate::{progress, tool};

const TYPES: &str = "src/schema.d.ts";

/// Writes the types anew from the OpenAPI document.
pub(crate) fn write() -> Result<()> {
    if !is_possible()? {
        return Ok(());
    }
    fs::write(folder().join(TYPES), render()?).with_context(|| format!("cannot write {TYPES}"))
}

/// Checks that the types are those of the OpenAPI document, and that the client compiles.
pub(crate) fn check() -> Result<()> {
    if !is_possible()? {
        return Ok(());
    }
    let present = fs::read_to_string(folder().join(TYPES)).with_context(|| format!("cannot read {TYPES}"))?;
    if present != render()? {
        bail!(
            "clients/typescript/{TYPES} differs from the OpenAPI document: run `cargo xtask openapi` and commit what it writes"
        )
    }
    npm(&["run", "--silent", "check"])
}

/// Builds the client, for its test.
pub(crate) fn build() -> Result<()> {
    if !is_possible()? {
        return Ok(());
    }
    npm(&["run", "--silent", "build"])
}

/// Returns `false`, and says so, where there is no npm. Otherwise installs the dependencies.
fn is_possible() -> Result<bool> {
    if Command::new("npm").arg("--version").output().is_err() {
        progress::say("  not done for clients/typescript: there is no npm (install Node 20 or later)");
        return Ok(false);
    }
    // npm writes this file last.
    if !folder().join("node_modules/.package-lock.json").exists() {
        npm(&["ci", "--no-audit", "--no-fund", "--silent"])?;
    }
    Ok(true)
}

fn render() -> Result<String> {
    let file = paths::target().join("schema.d.ts");
    let mut command = Command::new(folder().join("node_modules/.bin/openapi-typescript"));
    command.arg(paths::root().join("docs/reference/openapi.json")).arg("--output").arg(&file);
    process::output(&mut command)?;
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

fn npm(arguments: &[&str]) -> Result<()> {
    tool::require(process::run(Command::new("npm").current_dir(folder()).args(arguments))?)
}

fn folder() -> PathBuf {
    paths::root().join("clients/typescript")
}
