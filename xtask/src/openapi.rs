//! The committed OpenAPI document: made by `edgeward openapi`, written and compared.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{cargo, paths, process};

const PATH: &str = "docs/reference/openapi.json";

/// Writes the document.
pub(crate) fn write() -> Result<()> {
    fs::write(path(), render()?).with_context(|| format!("cannot write {PATH}"))
}

/// Checks that the document is that of the code.
pub(crate) fn check() -> Result<()> {
    let present = fs::read_to_string(path()).with_context(|| format!("cannot read {PATH}"))?;
    if present == render()? {
        return Ok(());
    }
    bail!("{PATH} differs from the code: run `cargo xtask openapi` and commit what it writes")
}

fn render() -> Result<String> {
    process::output(Command::new(cargo::build_companion()?).arg("openapi"))
}

fn path() -> PathBuf {
    paths::root().join(PATH)
}
