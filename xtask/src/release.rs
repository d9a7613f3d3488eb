//! `cargo xtask release`: makes what a release consists of, in `target/release-files`. The workflow of releases calls it, so that
//! each step can be tried without it.

mod base_images;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use edgeward_stack::shell::Shell;
use edgeward_stack::{cargo, paths, process};

use crate::tool::{self, AUDITABLE, CYCLONEDX};
use crate::{commit, filter, progress};

#[derive(Subcommand)]
pub(crate) enum What {
    /// Build the companion for this machine's architecture: an archive with manual pages, completions and a list of its parts
    Companion,
    /// Build the plugin, with a list of its parts
    Filter,
    /// Build the native module for this machine's architecture, with a list of its parts
    FilterNative,
    /// Build an image with the newest base images, each pinned by its digest, and push it
    Image {
        /// Target of the Dockerfile
        target: String,
        /// Name to push it as, with its tag
        name: String,
    },
    /// Check that a tag, `Cargo.toml`, the chart and `CHANGELOG.md` have the same version, and write notes.md
    Notes {
        /// Tag of the release, such as `v0.1.0`
        tag: String,
    },
}

/// Makes one part of a release.
pub(crate) fn release(what: &What) -> Result<()> {
    match what {
        What::Companion => companion(),
        What::Filter => plugin(),
        What::FilterNative => module(),
        What::Image { target, name } => image(target, name),
        What::Notes { tag } => notes(tag),
    }
}

/// Returns the folder of the files, which exists.
fn files() -> Result<PathBuf> {
    let folder = paths::target().join("release-files");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

fn run(command: &mut Command) -> Result<()> {
    tool::require(process::run(command)?)
}

fn companion() -> Result<()> {
    let name = format!("edgeward-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let folder = files()?.join(&name);
    let mut build = tool::command(AUDITABLE)?;
    build.args(["auditable", "build", "--locked", "--release", "--package", "edgeward-companion"]);
    build.env("CARGO_TARGET_DIR", paths::target()).env(commit::VARIABLE, commit::name());
    run(build.args(["--bin", "edgeward"]))?;
    fs::create_dir_all(folder.join("completions"))?;
    let program = folder.join("edgeward");
    fs::copy(paths::target().join("release/edgeward"), &program)?;
    let licences = ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"];
    let others = ["companion/THIRD-PARTY-LICENSES.txt", "deploy/systemd/edgeward.service"];
    for file in licences.iter().chain(&others) {
        let path = paths::root().join(file);
        fs::copy(&path, folder.join(path.file_name().unwrap_or_default()))?;
    }
    run(Command::new(&program).arg("man").arg(folder.join("man1")))?;
    for shell in ["bash", "zsh", "fish"] {
        let script = process::output(Command::new(&program).args(["completions", shell]))?;
        fs::write(folder.join("completions").join(shell), script)?;
    }
    let archive = files()?.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-czf"]).arg(&archive);
    run(tar.arg("-C").arg(files()?).arg(&name))?;
    fs::remove_dir_all(&folder)?;
    list_parts("companion", &format!("{name}.cdx.json"))?;
    progress::say(&format!("companion: {}", archive.display()));
    Ok(())
}

fn plugin() -> Result<()> {
    filter::build_to_ship(Shell::Wasm)?;
    add_filter(Shell::Wasm, &format!("edgeward-filter-{}.wasm", env!("CARGO_PKG_VERSION")), "filter/wasm")
}

fn module() -> Result<()> {
    filter::build_to_ship(Shell::Native)?;
    if let Some(needed) = newer_glibc(&fs::read(paths::filter_native())?) {
        bail!(
            "the module needs glibc {}.{}, and Envoy's image has {}.{}: build it on Debian 12 or Ubuntu 22.04",
            needed.0,
            needed.1,
            GLIBC.0,
            GLIBC.1
        );
    }
    let name = format!("edgeward-filter-{}-{}-linux.so", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    add_filter(Shell::Native, &name, "filter/native")
}

/// Adds a filter that was built, its checksum and the list of its parts.
fn add_filter(shell: Shell, name: &str, package: &str) -> Result<()> {
    fs::copy(shell.file(), files()?.join(name))?;
    let sum = process::output(Command::new("sha256sum").arg(name).current_dir(files()?))?;
    fs::write(files()?.join(format!("{name}.sha256")), &sum)?;
    list_parts(package, &format!("{name}.cdx.json"))?;
    progress::say(&format!("filter: {}", sum.trim()));
    Ok(())
}

/// Version of the C library in Envoy's image, which is made from Ubuntu 22.04.
const GLIBC: (u32, u32) = (2, 35);

/// Returns the newest version of glibc that a shared library needs, if it is newer than [`GLIBC`]. Each is a text in the file.
fn newer_glibc(library: &[u8]) -> Option<(u32, u32)> {
    const MARK: &[u8] = b"GLIBC_2.";
    let starts = library.windows(MARK.len()).enumerate().filter(|(_, text)| *text == MARK);
    let minors = starts.filter_map(|(at, _)| {
        let rest = library.get(at + MARK.len()..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
    });
    minors.max().map(|minor| (2, minor)).filter(|needed| *needed > GLIBC)
}

/// Writes the software bill of materials of a package (`CycloneDX` 1.5, ECMA-424).
fn list_parts(package: &str, name: &str) -> Result<()> {
    let mut list = tool::command(CYCLONEDX)?;
    list.args([
        "cyclonedx",
        "--format",
        "json",
        "--spec-version",
        "1.5",
        "--override-filename",
        "edgeward-parts",
    ]);
    list.arg("--manifest-path").arg(paths::root().join(package).join("Cargo.toml"));
    if package == "filter/wasm" {
        list.args(["--target", cargo::WASM]);
    }
    run(&mut list)?;
    // It writes one for each package of the workspace, beside its manifest.
    let wanted = paths::root().join(package).join("edgeward-parts.json");
    fs::copy(&wanted, files()?.join(name)).with_context(|| format!("{} is missing", wanted.display()))?;
    let mut git = Command::new("git");
    git.current_dir(paths::root()).args(["clean", "--quiet", "-fx", "--", "*edgeward-parts.json"]);
    run(&mut git)
}

fn image(target: &str, name: &str) -> Result<()> {
    let dockerfile = fs::read_to_string(paths::root().join("Dockerfile"))?;
    let mut build = Command::new("docker");
    build.current_dir(paths::root()).args(["buildx", "build", "--push", "--target", target, "--tag", name]);
    for base in base_images::of(&dockerfile) {
        let digest = base_images::digest(base)?;
        progress::say(&format!("{base} is {digest}"));
        build.arg(format!("--build-context={base}=docker-image://{base}@{digest}"));
    }
    build.arg(format!("--build-arg={}={}", commit::VARIABLE, commit::name()));
    // Istio and Envoy Gateway take an image of one layer; what attests the filter is beside it.
    let attested = target != "filter";
    build.arg(if attested { "--provenance=mode=max" } else { "--provenance=false" });
    build
        .arg(format!("--sbom={attested}"))
        .arg("--metadata-file")
        .arg(files()?.join(format!("{target}.json")));
    run(build.arg("."))
}

fn notes(tag: &str) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    if tag != format!("v{version}") {
        bail!("the tag is {tag}, and Cargo.toml has {version}: both must name the release");
    }
    let read = |path: &str| {
        fs::read_to_string(paths::root().join(path)).with_context(|| format!("cannot read {path}"))
    };
    if !read("deploy/helm/edgeward/Chart.yaml")?.contains(&format!("\nversion: {version}\n")) {
        bail!("deploy/helm/edgeward/Chart.yaml has another version than Cargo.toml, {version}");
    }
    let changelog = read("CHANGELOG.md")?;
    let part = changes(&changelog, version)
        .with_context(|| format!("CHANGELOG.md has no part `## {version} - DATE`"))?;
    let path = files()?.join("notes.md");
    fs::write(&path, part).with_context(|| format!("cannot write {}", path.display()))
}

/// Returns the part of the changelog about a version.
fn changes<'a>(changelog: &'a str, version: &str) -> Option<&'a str> {
    let (_, rest) = changelog.split_once(&format!("\n## {version} - "))?;
    let (_, rest) = rest.split_once('\n')?;
    Some(rest.split("\n## ").next().unwrap_or(rest).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_that_needs_a_newer_glibc_is_found() {
        for (library, expected) in [
            ("\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0", None),
            ("\0GLIBC_2.35\0GLIBC_PRIVATE\0", None),
            ("\0GLIBC_2.38\0GLIBC_2.17", Some((2, 38))),
            ("", None),
        ] {
            assert_eq!(newer_glibc(library.as_bytes()), expected, "{library:?}");
        }
    }

    #[test]
    fn notes_are_the_part_of_the_changelog_about_the_version() {
        let changelog = "# C\n\n## Unreleased\n\n## 0.2.0 - 2027-01-02\n\n### Added\n\n- a\n\n## 0.1.0 - 2026-12-01\n\n- b\n";
        assert_eq!(changes(changelog, "0.2.0"), Some("### Added\n\n- a"));
        assert_eq!(changes(changelog, "0.1.0"), Some("- b"));
        assert_eq!(changes(changelog, "0.3.0"), None);
    }
}
