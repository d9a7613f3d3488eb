//! `cargo xtask filter`: compiles the plugin for wasm and packs it.

use std::fs;

use anyhow::{Context as _, Result};
use edgeward_stack::{cargo, paths};

/// Builds the plugin at [`paths::filter_wasm`].
pub(crate) fn build() -> Result<()> {
    cargo::ensure_wasm_target()?;
    cargo::build(&["--package", "edgeward-filter-wasm", "--release", "--target", cargo::WASM])?;
    let compiled = paths::target().join(cargo::WASM).join("release/edgeward_filter_wasm.wasm");
    let plugin = edgeward_filter_pack::pack(&fs::read(&compiled)?)?;
    let path = paths::filter_wasm();
    if fs::read(&path).is_ok_and(|built| built == plugin) {
        return Ok(());
    }
    fs::write(&path, plugin).with_context(|| format!("cannot write {}", path.display()))
}
