//! `cargo xtask filter`: compiles the plugin for wasm and packs it, or the native module.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use edgeward_stack::shell::{self, Shell};
use edgeward_stack::{cargo, paths, process};

use crate::{commit, tool};

/// Builds a shell of the filter at [`Shell::file`].
pub(crate) fn build(shell: Shell) -> Result<()> {
    build_by(cargo::command(), shell)
}

/// Does the same with the commit in its version. [`build`] leaves it out: the tests' plugin is not compiled anew for each commit.
pub(crate) fn build_to_ship(shell: Shell) -> Result<()> {
    let mut cargo = cargo::command();
    cargo.env(commit::VARIABLE, commit::name());
    build_by(cargo, shell)
}

/// Writes the gateway's configuration for the native module.
pub(crate) fn write_native_gateway() -> Result<()> {
    let path = paths::root().join(shell::NATIVE_FILE);
    fs::write(&path, shell::native_configuration()?)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn build_by(mut cargo: Command, shell: Shell) -> Result<()> {
    cargo.args(["build", "--release", "--package"]);
    let built = match shell {
        Shell::Wasm => {
            cargo::ensure_wasm_target()?;
            cargo.args(["edgeward-filter-wasm", "--target", cargo::WASM]);
            compile(&mut cargo)?;
            let compiled = paths::target().join(cargo::WASM).join("release/edgeward_filter_wasm.wasm");
            edgeward_filter_pack::pack(&fs::read(compiled)?)?
        }
        Shell::Native => {
            cargo.arg("edgeward-filter-native");
            compile(&mut cargo)?;
            fs::read(paths::target().join("release/libedgeward_filter_native.so"))?
        }
    };
    let path = shell.file();
    if fs::read(&path).is_ok_and(|earlier| earlier == built) {
        return Ok(());
    }
    // A new file: the one that an Envoy has loaded must not change under it.
    let new = path.with_extension("new");
    fs::write(&new, built).with_context(|| format!("cannot write {}", new.display()))?;
    fs::rename(&new, &path).with_context(|| format!("cannot replace {}", path.display()))
}

fn compile(cargo: &mut Command) -> Result<()> {
    tool::require(process::run(cargo)?).context("the filter does not compile")
}
