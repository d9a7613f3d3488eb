//! Licence texts that are shipped with the plugin, the native module and the companion: written, and checked for missing crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{cargo, paths, process};

use crate::tool::{self, ABOUT};

/// Part of Edgeward that is shipped by itself.
struct Part {
    /// Folder of the texts.
    folder: &'static str,
    /// Folder of the package.
    source: &'static str,
    package: &'static str,
    target: &'static str,
}

const PARTS: [Part; 3] = [
    Part {
        folder: "companion",
        source: "companion",
        package: "edgeward-companion",
        target: "x86_64-unknown-linux-gnu",
    },
    Part { folder: "filter", source: "filter/wasm", package: "edgeward-filter-wasm", target: cargo::WASM },
    Part {
        folder: "filter/native",
        source: "filter/native",
        package: "edgeward-filter-native",
        target: "x86_64-unknown-linux-gnu",
    },
];

/// Writes `THIRD-PARTY-LICENSES.txt` of each part, from the sources of its dependencies.
pub(crate) fn write() -> Result<()> {
    tool::require(process::run(cargo::command().args(["fetch", "--locked"]))?)?;
    for part in &PARTS {
        let manifest = paths::root().join(part.source).join("Cargo.toml");
        let mut command = tool::command(ABOUT)?;
        // Offline, from the packages alone: the text is the same everywhere.
        command.args(["generate", "--fail", "--frozen", "--target", part.target, "about.hbs"]);
        command.arg("--manifest-path").arg(manifest).arg("--output-file").arg(part.notices());
        tool::require(process::run(&mut command)?)?;
    }
    Ok(())
}

/// Checks that the texts name every shipped dependency and no other.
pub(crate) fn check() -> Result<()> {
    for part in &PARTS {
        let path = part.notices();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let tree = part.tree()?;
        let (named, shipped) = (named(&text), crates(&tree));
        let missing: Vec<_> = shipped.difference(&named).copied().collect();
        let superfluous: Vec<_> = named.difference(&shipped).copied().collect();
        if !missing.is_empty() || !superfluous.is_empty() {
            bail!(
                "{}: missing [{}], no longer used [{}]: run `cargo xtask notices` and commit what it writes",
                path.display(),
                missing.join(", "),
                superfluous.join(", ")
            );
        }
    }
    Ok(())
}

impl Part {
    fn notices(&self) -> PathBuf {
        paths::root().join(self.folder).join("THIRD-PARTY-LICENSES.txt")
    }

    fn tree(&self) -> Result<String> {
        let mut command = cargo::command();
        command.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
        process::output(command.args(["--package", self.package, "--target", self.target]))
    }
}

/// Returns the crates that a text names: lines like `  - NAME`.
fn named(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.strip_prefix("  - ")).filter(|name| !name.contains(' ')).collect()
}

/// Returns the crates in the output of `cargo tree`, without those of Edgeward.
fn crates(tree: &str) -> BTreeSet<&str> {
    tree.lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty() && !name.starts_with("edgeward-"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_a_notice_is_found() {
        let tree =
            "edgeward-filter v0.1.0 (/src/filter/core)\nrsa v0.10.0\nserde v1.0.229 (*)\nserde v1.0.229";
        let text = "MIT License\n  - serde\n\n  - a line of a licence\nCopyright";
        let missing: Vec<_> = crates(tree).difference(&named(text)).copied().collect();
        assert_eq!(missing, ["rsa"]);
    }
}
