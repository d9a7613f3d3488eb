//! Builds of the programs that the stack runs, by the cargo of the user.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{paths, process};

/// Target that the filter is compiled for.
pub const WASM: &str = "wasm32-wasip1";

/// Packages whose features the programs are built with: all of them, as for the tests, so that each dependency is
/// compiled once for both.
pub const PROGRAMS: &[&str] = &["--workspace"];

/// Builds the companion and the demo upstream, and nothing that only tests need.
pub fn build_programs() -> Result<()> {
    check_compiler()?;
    build(&[PROGRAMS, &["--bin=edgeward", "--bin=echo-upstream"]].concat())
}

/// Builds the companion with the features that it has beside the other programs. Returns its path.
pub fn build_companion() -> Result<PathBuf> {
    check_compiler()?;
    build(&[PROGRAMS, &["--bin=edgeward"]].concat())?;
    Ok(paths::program("edgeward"))
}

/// Builds the companion optimised, as in production. Returns its path.
pub fn build_fast_companion() -> Result<PathBuf> {
    check_compiler()?;
    build(&["--package=edgeward-companion", "--release", "--bins"])?;
    Ok(paths::target().join("release/edgeward"))
}

/// Returns cargo at the root of the checkout, as if the user had called it.
#[must_use]
pub fn command() -> Command {
    let mut command = Command::new(super::variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    command.current_dir(paths::root()).env("CARGO_TARGET_DIR", paths::target());
    // Cargo sets these for the package that it runs. Build scripts that read them would run again.
    for name in super::variables()
        .filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        command.env_remove(name);
    }
    command
}

/// Adds the wasm target to the toolchain if it is missing.
pub fn ensure_wasm_target() -> Result<()> {
    let mut rustc = Command::new(super::variable("RUSTC").unwrap_or_else(|| "rustc".to_owned()));
    rustc.current_dir(paths::root()).args(["--print", "target-libdir", "--target", WASM]);
    let library = process::output(&mut rustc)?;
    if Path::new(library.trim()).exists() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(paths::root()).args(["target", "add", WASM]);
    process::output(&mut rustup).map(drop).with_context(|| {
        format!("the compiler's target {WASM} is missing and cannot be added: run `rustup target add {WASM}`")
    })
}

/// Runs `cargo build`.
pub fn build(arguments: &[&str]) -> Result<()> {
    let status = process::run(command().arg("build").args(arguments))?;
    if !status.success() {
        bail!("`cargo build {}` failed: see above", arguments.join(" "));
    }
    Ok(())
}

/// Checks for a C compiler: the companion's cryptography is C, and its build script does not name a missing compiler.
fn check_compiler() -> Result<()> {
    let compiler = super::variable("CC").unwrap_or_else(|| "cc".to_owned());
    match Command::new(&compiler).arg("--version").output() {
        Ok(_) => Ok(()),
        Err(_) => {
            bail!("there is no C compiler `{compiler}`: install one (Debian: apt-get install gcc libc6-dev)")
        }
    }
}
