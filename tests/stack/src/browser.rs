//! Chromium, with what drives it: found on the machine, never installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

/// Variable that names a Chromium.
const VARIABLE: &str = "CHROMIUM";
/// Names of the program: Debian's, Ubuntu's, Google's.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Returns the path of Chromium: that of `CHROMIUM`, else one on the PATH.
///
/// # Errors
/// If there is none, or no npm.
pub fn find() -> Result<PathBuf> {
    if Command::new("npm").arg("--version").output().is_err() {
        bail!("no npm found: install Node 20 or later");
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
