//! Check that `cargo xtask up` and `cargo xtask test` compile every dependency with the same features.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use edgeward_stack::{cargo, process};

/// Sets of features by package. A package has two sets if build scripts use it with other features than the product.
type Features<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Compares the features for the programs with those for the tests.
pub(crate) fn check() -> Result<()> {
    let programs = tree(cargo::PROGRAMS, "normal,build")?;
    let tests = tree(&["--workspace"], "normal,build,dev")?;
    let differences = differences(&parse(&programs), &parse(&tests));
    if differences.is_empty() {
        return Ok(());
    }
    bail!(
        "`cargo xtask up` and `cargo xtask test` would compile these twice. Enable the tests' features in \
         tests/system/Cargo.toml:\n{}",
        differences.join("\n")
    )
}

fn tree(selection: &[&str], edges: &str) -> Result<String> {
    let mut command = cargo::command();
    command.args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}", "--edges", edges]);
    process::output(command.args(selection))
}

/// Reads lines like `tokio v1.54.1|net,time`. A repeated line ends in ` (*)`.
fn parse(tree: &str) -> Features<'_> {
    let mut features = Features::new();
    for line in tree.lines() {
        if let Some((package, set)) = line.trim_end_matches(" (*)").split_once('|') {
            features.entry(package).or_default().insert(set);
        }
    }
    features
}

/// Returns a line for each package that the tests compile with other features, or not at all.
fn differences(programs: &Features<'_>, tests: &Features<'_>) -> Vec<String> {
    let known = |package, set| tests.get(package).is_some_and(|sets| sets.contains(set));
    programs
        .iter()
        .flat_map(|(package, sets)| sets.iter().map(move |set| (*package, *set)))
        .filter(|(package, set)| !known(*package, *set))
        .map(|(package, set)| {
            let others = tests.get(package).into_iter().flatten().copied().collect::<Vec<_>>();
            format!("  {package}: [{set}] for `up`, [{}] for `test`", others.join("] or ["))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_only_the_tests_enable_is_named() {
        let cases = [
            ("tokio v1|net", "tokio v1|net", None),
            ("tokio v1|net", "tokio v1|net,test-util", Some("[net] for `up`, [net,test-util] for `test`")),
            // Once for build scripts, once for the product.
            ("syn v3|full (*)", "syn v3|\nsyn v3|full", None),
            ("syn v3|\nsyn v3|full", "syn v3|full", Some("[] for `up`, [full] for `test`")),
            // Another version is another package.
            ("syn v3|full", "syn v2|full", Some("[full] for `up`, [] for `test`")),
            // `up` does not compile it.
            ("", "proptest v1|std", None),
        ];
        for (programs, tests, expected) in cases {
            let found = differences(&parse(programs), &parse(tests));
            assert_eq!(found.len(), usize::from(expected.is_some()), "{found:?}");
            assert!(found.iter().zip(expected).all(|(line, end)| line.ends_with(end)), "{found:?}");
        }
    }
}
