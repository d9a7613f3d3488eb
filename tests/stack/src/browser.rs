//! Chromium, with what drives it: found on the machine, never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Result, bail};

use super::process;

/// Variable that names a Chromium.
const VARIABLE: &str = "CHROMIUM";
/// Names of the program: Debian's, Ubuntu's, Google's.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Oldest version of Node, as in `tests/browser/package.json`.
const OLDEST_NODE: u32 = 20;

/// Returns the path of Chromium: that of `CHROMIUM`, else one on the PATH.
///
/// # Errors
/// If there is none, or no Node with npm that is new enough.
pub fn find() -> Result<PathBuf> {
    if version("node").is_none_or(|major| major < OLDEST_NODE) || version("npm").is_none() {
        bail!("no Node {OLDEST_NODE} or later with npm found: install it");
    }
    if let Some(named) = super::variable(VARIABLE) {
        return Ok(named.into());
    }
    let path = super::variable("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path);
    let mut programs = folders.flat_map(|folder| NAMES.map(|name| folder.join(name)));
    match programs.find(|program| program.is_file()) {
        Some(found) => Ok(found),
        None => bail!("no Chromium found: install Debian's package `chromium`, or name one in {VARIABLE}"),
    }
}

/// Installs the npm packages of a folder, unless those of its lock file are there.
///
/// # Errors
/// If npm fails.
pub fn install_packages(folder: &Path) -> Result<()> {
    // npm writes this file last.
    if changed(&folder.join("node_modules/.package-lock.json")) < changed(&folder.join("package-lock.json")) {
        let mut npm = Command::new("npm");
        process::output(npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--prefer-offline"]))?;
    }
    Ok(())
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|found| found.modified()).ok()
}

/// Returns the first number of a program's version; `None` if it is not installed.
fn version(program: &str) -> Option<u32> {
    let output = Command::new(program).arg("--version").output().ok()?;
    major(str::from_utf8(&output.stdout).ok()?)
}

fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_the_first_number() {
        for (version, expected) in
            [("v20.20.2\n", Some(20)), ("11.19.1\n", Some(11)), ("node: not found\n", None)]
        {
            assert_eq!(major(version), expected, "{version}");
        }
    }
}
