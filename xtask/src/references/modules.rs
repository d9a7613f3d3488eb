//! Diagrams of who uses whom, from the manifests of the crates and the imports of the companion's modules.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

use crate::walls::{self, Arrows};

/// Crates of the product, by their folders.
const CRATES: [&str; 5] = ["wire", "filter/core", "filter/wasm", "filter/native", "companion"];

/// Returns a diagram in Mermaid.
pub(super) fn render() -> Result<String> {
    let companion = walls::companion_arrows()?;
    let crates = diagram(&without_shortcuts(&crates()?));
    let modules = diagram(&without_shortcuts(&companion));
    Ok(format!(
        "\n```mermaid\ngraph LR\n{crates}  subgraph modules [modules of the companion]\n{modules}  end\n```\n\n"
    ))
}

/// Returns which crate depends on which, tests aside.
fn crates() -> Result<Arrows> {
    let manifest = |folder: &str| {
        let path = paths::root().join(folder).join("Cargo.toml");
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let name = |text: &str| {
        text.split("name = \"").nth(1).and_then(|rest| rest.split('"').next().map(str::to_owned))
    };
    let texts = CRATES.iter().map(|folder| manifest(folder)).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = texts.iter().filter_map(|text| name(text)).collect();
    let mut arrows = Arrows::new();
    for (folder, text) in CRATES.iter().zip(&texts) {
        // Those of one target too, and not those for development.
        let sections =
            text.split("\n[").filter(|section| section.lines().next().is_some_and(is_of_dependencies));
        let dependencies = sections.collect::<String>();
        let names_of = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
        let used = names_of.filter_map(|used| {
            let at = names.iter().position(|name| name == used)?;
            CRATES.get(at).map(|folder| (*folder).to_owned())
        });
        arrows.insert((*folder).to_owned(), used.collect());
    }
    Ok(arrows)
}

/// `true` for the head of a section with dependencies, without its first bracket.
fn is_of_dependencies(head: &str) -> bool {
    head == "dependencies]" || (head.starts_with("target.") && head.ends_with(".dependencies]"))
}

/// Removes each arrow that a longer way replaces: what is left shows the layers.
fn without_shortcuts(arrows: &Arrows) -> Arrows {
    let reaches = |from: &str, to: &str| {
        let (mut next, mut seen) = (vec![from], BTreeSet::new());
        while let Some(node) = next.pop() {
            if node == to {
                return true;
            }
            if seen.insert(node) {
                next.extend(arrows.get(node).into_iter().flatten().map(String::as_str));
            }
        }
        false
    };
    let direct = |used: &BTreeSet<String>| {
        let is_shortcut = |to: &String| used.iter().any(|other| other != to && reaches(other, to));
        used.iter().filter(|to| !is_shortcut(to)).cloned().collect()
    };
    arrows.iter().map(|(from, used)| (from.clone(), direct(used))).collect()
}

fn diagram(arrows: &Arrows) -> String {
    let mut text = String::new();
    for (from, used) in arrows {
        for to in used {
            text.extend(["  ", from, " --> ", to, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_that_a_longer_way_replaces_is_left_out() {
        let arrows = [("c", &["a", "b"][..]), ("b", &["a"]), ("a", &[])];
        let arrows: Arrows = arrows
            .iter()
            .map(|(from, used)| ((*from).to_owned(), used.iter().map(|to| (*to).to_owned()).collect()))
            .collect();
        assert_eq!(diagram(&without_shortcuts(&arrows)), "  b --> a\n  c --> b\n");
    }
}
