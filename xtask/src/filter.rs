//! `cargo xtask filter`: compiles the plugin for wasm and packs it.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use edgeward_stack::{cargo, paths, process};

use crate::{commit, tool};

/// Builds the plugin at [`paths::filter_wasm`].
pub(crate) fn build() -> Result<()> {
    build_by(cargo::command())
}

/// Does the same with the commit in its version. [`build`] leaves it out: the tests' plugin is not compiled anew for each commit.
pub(crate) fn build_to_ship() -> Result<()> {
    let mut cargo = cargo::command();
    cargo.env(commit::VARIABLE, commit::name());
    build_by(cargo)
}

fn build_by(mut cargo: Command) -> Result<()> {
    cargo::ensure_wasm_target()?;
    cargo.args(["build", "--package", "edgeward-filter-wasm", "--release", "--target", cargo::WASM]);
    tool::require(process::run(&mut cargo)?).context("the filter does not compile")?;
    let compiled = paths::target().join(cargo::WASM).join("release/edgeward_filter_wasm.wasm");
    let plugin = edgeward_filter_pack::pack(&fs::read(&compiled)?)?;
    let path = paths::filter_wasm();
    if fs::read(&path).is_ok_and(|built| built == plugin) {
        return Ok(());
    }
    fs::write(&path, plugin).with_context(|| format!("cannot write {}", path.display()))
}
