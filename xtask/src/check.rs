//! `cargo xtask check`: all checks that need no running product. It changes no file.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use edgeward_stack::{cargo, process};

use crate::tool::{self, DENY, MACHETE};
use crate::{alerts, client, documents, features, notices, openapi, progress, references, settings, walls};

type Check = fn() -> Result<()>;

const CHECKS: [(&str, Check); 15] = [
    ("formatting", || cargo_run(&["fmt", "--all", "--check"])),
    ("lints", || cargo_run(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("lints of the filter as wasm", clippy_wasm),
    ("documentation", || {
        run(cargo::command().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    }),
    ("licences and sources", || {
        tool::run(DENY, &["--log-level", "error", "check", "bans", "licenses", "sources"])
    }),
    ("licence notices", notices::check),
    ("documents about settings", settings::check),
    ("documents made from the code", references::check),
    ("the OpenAPI document", openapi::check),
    ("the TypeScript client", client::check),
    ("features of dependencies", features::check),
    ("unused dependencies", || tool::run(MACHETE, &[])),
    ("walls between modules", walls::check),
    ("paths, tests and links in documents", documents::check),
    ("alert rules", alerts::check),
];

/// Checks that need the network, for the database of advisories.
const ADVISORIES: [(&str, Check); 1] =
    [("advisories", || tool::run(DENY, &["--log-level", "error", "check", "advisories"]))];

/// Runs every check, those after a failed one too; or that of the advisories alone.
pub(crate) fn check(advisories: bool) -> Result<()> {
    run_all(if advisories { &ADVISORIES } else { &CHECKS })
}

fn run_all(checks: &[(&str, Check)]) -> Result<()> {
    let mut failed = Vec::new();
    for (name, check) in checks {
        progress::say(&format!("checking {name}"));
        let start = Instant::now();
        match check() {
            Ok(()) => progress::say(&format!("  ok, {:.1}s", start.elapsed().as_secs_f32())),
            Err(error) => {
                progress::say(&format!("  FAILED: {error:#}"));
                failed.push(*name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("these checks failed: {}", failed.join(", ")) }
}

fn cargo_run(arguments: &[&str]) -> Result<()> {
    run(cargo::command().args(arguments))
}

fn run(command: &mut Command) -> Result<()> {
    tool::require(process::run(command)?)
}

fn clippy_wasm() -> Result<()> {
    cargo::ensure_wasm_target()?;
    cargo_run(&[
        "clippy",
        "--package",
        "edgeward-filter-wasm",
        "--target",
        cargo::WASM,
        "--",
        "-D",
        "warnings",
    ])
}
