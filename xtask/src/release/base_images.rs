//! Images that ours are built on, and their digests.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, Result};
use edgeward_stack::process;

/// Returns the digest that an image has in its registry now.
pub(super) fn digest(image: &str) -> Result<String> {
    let mut inspect = Command::new("docker");
    // `{{.Manifest.Digest}}` alone prints all of the manifest with buildx before 0.33.
    let format = r#"{{printf "%s" .Manifest.Digest}}"#;
    inspect.args(["buildx", "imagetools", "inspect", "--format", format, image]);
    let printed = process::output(&mut inspect).with_context(|| {
        format!(
            "cannot ask the registry of {image} for its digest: check the network, and `docker buildx version` \
             (Docker's plugin buildx, and a running engine)"
        )
    })?;
    let digest = digest_in(&printed).with_context(|| {
        format!("`docker buildx imagetools inspect {image}` printed no digest: use a newer buildx\n{printed}")
    })?;
    Ok(digest.to_owned())
}

/// Returns the line that is a digest (OCI image specification 1.1, "Digests").
fn digest_in(printed: &str) -> Option<&str> {
    let is_digest = |line: &&str| {
        let hash = line.strip_prefix("sha256:").unwrap_or_default();
        hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    printed.lines().map(str::trim).find(is_digest)
}

/// Returns the images of registries that a Dockerfile builds on.
pub(super) fn of(dockerfile: &str) -> BTreeSet<&str> {
    let stages = || dockerfile.lines().filter_map(|line| line.strip_prefix("FROM "));
    let names: BTreeSet<&str> = stages().filter_map(|stage| Some(stage.split_once(" AS ")?.1)).collect();
    let bases = stages().filter_map(|stage| stage.split(' ').next());
    bases.filter(|base| *base != "scratch" && !names.contains(base)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_registries_are_told_from_stages() {
        let dockerfile =
            "FROM rust:1 AS source\nFROM source AS build\nFROM scratch AS filter\nFROM debian:13 AS a\n";
        assert_eq!(of(dockerfile), BTreeSet::from(["debian:13", "rust:1"]));
    }

    #[test]
    fn digest_is_a_line_of_its_own() {
        let hash = "0123456789abcdef".repeat(4);
        let digest = format!("sha256:{hash}");
        assert_eq!(digest_in(&format!("WARNING: old\n{digest}\n")), Some(digest.as_str()));
        let whole = format!("Name:      docker.io/library/debian:13\nDigest:    {digest}\n");
        for printed in [&whole, "", "sha256:", &hash, "sha256:0123"] {
            assert_eq!(digest_in(printed), None, "{printed}");
        }
    }
}
