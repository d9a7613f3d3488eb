//! Cargo's subcommands of others at pinned versions, installed under `target` when they are missing.

use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{cargo, paths, process};

use crate::progress;

/// A program from crates.io.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    features: &'static str,
}

pub(crate) const ABOUT: Tool = Tool { name: "cargo-about", version: "0.9.3", features: "cli" };
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", features: "" };
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2", features: "" };

/// Runs the tool at the root of the checkout.
pub(crate) fn run(tool: Tool, arguments: &[&str]) -> Result<()> {
    require(process::run(command(tool)?.args(arguments))?)
}

/// Installs the tool if it is missing, and names it.
pub(crate) fn command(Tool { name, version, features }: Tool) -> Result<Command> {
    // A folder for each version: one that is there is the right one.
    let root = paths::tools().join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        progress::say(&format!("  installing {name} {version}, once"));
        let mut install = cargo::command();
        // It builds in a temporary folder, not among our own artefacts.
        install.args(["install", "--locked", name, "--version", version, "--features", features, "--root"]);
        install.arg(&root).env_remove("CARGO_TARGET_DIR");
        process::run(&mut install)
            .and_then(require)
            .with_context(|| format!("cannot install {name} {version}: check the network and try again"))?;
    }
    let mut command = Command::new(program);
    command.current_dir(paths::root());
    Ok(command)
}

/// Turns an exit status into an error. What is wrong was printed by the program.
pub(crate) fn require(status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { bail!("see above") }
}
