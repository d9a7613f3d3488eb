//! The former release, built from the history of the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{cargo, paths, process};
use anyhow::{Context as _, Result, bail};

/// Tag of the former release.
const TAG: &str = "v0.1.0";
/// Until there is the tag, the commit that added this file is the release.
const ADDED: &str = "migrations/0013_oldest_version.up.sql";

/// Programs of a release.
#[derive(Debug)]
pub struct Release {
    /// The companion.
    pub edgeward: PathBuf,
    /// The plugin.
    pub filter: PathBuf,
}

/// Builds the companion and the filter of the former release, in the profiles of the tests, unless they are built already.
///
/// # Errors
/// If the clone does not have the commit or is at it, or if a build fails.
pub fn build(log: &mut dyn FnMut(&str)) -> Result<Release> {
    let commit = find()?;
    if commit == git(&["rev-parse", "HEAD"])? {
        bail!("the former release would be this one, {commit}");
    }
    let folder = paths::target().join("former").join(&commit);
    let (source, target) = (folder.join("source"), folder.join("build"));
    let release = Release { edgeward: target.join("debug/edgeward"), filter: target.join("edgeward.wasm") };
    let done = folder.join("done");
    if !done.exists() {
        log(&format!("building the former release, {commit}, in {}", folder.display()));
        extract(&commit, &source)?;
        share_dependencies(&target)?;
        for arguments in
            [&["build", "--locked", "--workspace", "--bin", "edgeward"][..], &["xtask", "filter"]]
        {
            let mut command = cargo::command();
            command.current_dir(&source).env("CARGO_TARGET_DIR", &target).args(arguments);
            if !process::run(&mut command)?.success() {
                bail!("`cargo {}` failed in {}", arguments.join(" "), source.display());
            }
        }
        fs::write(&done, "")?;
    }
    Ok(release)
}

fn find() -> Result<String> {
    if let Ok(commit) = git(&["rev-parse", "--verify", &format!("{TAG}^{{commit}}")]) {
        return Ok(commit);
    }
    // The first commit of a shallow clone seems to add every file.
    if git(&["rev-parse", "--is-shallow-repository"])? == "true" {
        bail!("the clone is shallow and has no tag {TAG}: git fetch --unshallow --tags");
    }
    let added = git(&["log", "--diff-filter=A", "--format=%H", "--", ADDED])?;
    added
        .lines()
        .last()
        .map(str::to_owned)
        .with_context(|| format!("the clone has no commit that added {ADDED}"))
}

fn git(arguments: &[&str]) -> Result<String> {
    let text = process::output(Command::new("git").current_dir(paths::root()).args(arguments))?;
    Ok(text.trim().to_owned())
}

/// Writes the files of the commit. No work tree of git's: that would stay known to the clone.
fn extract(commit: &str, source: &Path) -> Result<()> {
    if source.exists() {
        fs::remove_dir_all(source)?;
    }
    fs::create_dir_all(source)?;
    let archive = source.with_extension("tar");
    git(&["archive", "--output", &archive.display().to_string(), commit])?;
    process::output(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(source))?;
    Ok(fs::remove_file(archive)?)
}

/// Links what is compiled already: most dependencies are those of this release. Cargo compiles the others.
fn share_dependencies(target: &Path) -> Result<()> {
    for profile in ["debug", "wasm32-wasip1/release"] {
        for folder in ["deps", "build", ".fingerprint"] {
            let (from, to) = (paths::target().join(profile).join(folder), target.join(profile).join(folder));
            if !from.exists() || to.exists() {
                continue;
            }
            fs::create_dir_all(target.join(profile))?;
            process::output(Command::new("cp").args(["--archive", "--link"]).arg(&from).arg(&to))?;
        }
    }
    Ok(())
}
