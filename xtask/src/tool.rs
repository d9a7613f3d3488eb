//! Third-party subcommands of cargo at pinned versions, installed under `target` if they are missing.

use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{cargo, paths, process};

use crate::progress;

/// Program from crates.io.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    features: &'static str,
}

pub(crate) const ABOUT: Tool = Tool { name: "cargo-about", version: "0.9.3", features: "cli" };
pub(crate) const AUDITABLE: Tool = Tool { name: "cargo-auditable", version: "0.7.7", features: "" };
pub(crate) const CYCLONEDX: Tool = Tool { name: "cargo-cyclonedx", version: "0.5.9", features: "" };
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", features: "" };
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2", features: "" };
pub(crate) const MDBOOK: Tool = Tool { name: "mdbook", version: "0.5.4", features: "" };

/// Runs the tool at the root of the checkout.
pub(crate) fn run(tool: Tool, arguments: &[&str]) -> Result<()> {
    require(process::run(command(tool)?.args(arguments))?)
}

/// Installs the tool if it is missing. Returns a command that runs it.
pub(crate) fn command(Tool { name, version, features }: Tool) -> Result<Command> {
    // Each version has a folder of its own.
    let root = paths::tools().join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        progress::say(&format!("  installing {name} {version}, once"));
        let mut install = cargo::command();
        // It builds in a temporary folder, apart from the artefacts of Edgeward.
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

/// Returns an error unless a program succeeded. The program has printed the reason.
pub(crate) fn require(status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { bail!("see above") }
}
