//! `cargo xtask check`: all checks that need no running product. It changes no file.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{cargo, paths, process};

use crate::tool::{self, DENY, MACHETE};
use crate::{features, notices, progress, settings, walls};

type Check = fn() -> Result<()>;

const CHECKS: [(&str, Check); 11] = [
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
    ("features of dependencies", features::check),
    ("unused dependencies", || tool::run(MACHETE, &[])),
    ("walls between modules", walls::check),
    ("paths in ARCHITECTURE.md", architecture),
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

/// Checks that every path in ARCHITECTURE.md exists.
fn architecture() -> Result<()> {
    let root = paths::root();
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).context("cannot read ARCHITECTURE.md")?;
    let missing: Vec<&str> = named_paths(&text).filter(|path| !root.join(path).exists()).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        bail!("ARCHITECTURE.md names paths that do not exist: {}", missing.join(", "))
    }
}

/// Returns the texts in backticks that look like a path of this repository.
fn named_paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|quoted| is_path(quoted))
}

fn is_path(quoted: &str) -> bool {
    let plain =
        quoted.chars().all(|character| character.is_ascii_alphanumeric() || "/._-".contains(character));
    let file = Path::new(quoted)
        .extension()
        .is_some_and(|end| ["rs", "toml", "yaml", "yml", "md", "sql"].iter().any(|known| end == *known));
    plain && !quoted.starts_with('/') && (file || quoted.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_code() {
        for (quoted, expected) in [
            ("filter/core/src/gate.rs", true),
            ("migrations/", true),
            ("Cargo.toml", true),
            ("/login", false),
            ("/api/auth/", false),
            ("cargo xtask up", false),
            ("Identity", false),
            ("NNNN_name.up.sql …", false),
        ] {
            assert_eq!(is_path(quoted), expected, "{quoted}");
        }
    }

    #[test]
    fn only_what_stands_in_backticks_is_looked_at() {
        let found: Vec<_> = named_paths("a/b.rs `c/d.rs` e/f.rs `g/` and `h`").collect();
        assert_eq!(found, ["c/d.rs", "g/"]);
    }
}
