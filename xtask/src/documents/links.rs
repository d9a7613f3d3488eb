//! Links between documents, and the table of contents.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

use crate::files;

/// Table of contents, from which the book is built too.
pub(super) const SUMMARY: &str = "docs/SUMMARY.md";

/// Lists the links of a document whose file or heading does not exist.
pub(super) fn find_faults(document: &Path, text: &str) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for target in targets(text).filter(|target| !is_elsewhere(target)) {
        let (path, heading) = target.split_once('#').unwrap_or((target, ""));
        let file = match path {
            "" => document.to_owned(),
            path => document.parent().unwrap_or(document).join(path),
        };
        if !file.exists() {
            faults.push(format!("a link leads nowhere: {target}"));
        } else if !heading.is_empty() && file.extension().is_some_and(|end| end == "md") {
            let page =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            if !headings(&page).any(|known| known == heading) {
                faults.push(format!("a link leads to no heading: {target}"));
            }
        }
    }
    Ok(faults)
}

/// Lists the pages below docs/ that the table of contents does not have exactly once.
pub(super) fn find_unlisted() -> Result<Vec<String>> {
    let summary = paths::root().join(SUMMARY);
    let text = fs::read_to_string(&summary).context(SUMMARY)?;
    let folder = paths::root().join("docs");
    let mut faults = Vec::new();
    for page in files::below("docs", "md")?.iter().filter(|page| **page != summary) {
        let page = page.strip_prefix(&folder).unwrap_or(page).to_string_lossy();
        let count = targets(&text).filter(|target| *target == page).count();
        if count != 1 {
            faults.push(format!("{SUMMARY}: {page} is there {count} times"));
        }
    }
    Ok(faults)
}

/// `true` for a link that leads to no file of the checkout.
pub(super) fn is_elsewhere(target: &str) -> bool {
    target.starts_with("http://") || target.starts_with("https://") || target.starts_with("mailto:")
}

/// Returns the targets of links, without those in code.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    outside_fences(text).flat_map(|line| {
        // Code in backticks follows an odd number of them.
        let is_text =
            move |at: usize| line.get(..at).is_some_and(|before| before.matches('`').count() % 2 == 0);
        let links = line.match_indices("](").filter(move |(at, _)| is_text(*at));
        links.filter_map(move |(at, _)| line.get(at + 2..)?.split(')').next())
    })
}

/// Returns the anchors of the headings, as GitHub and mdBook make them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = outside_fences(text).filter(|line| line.starts_with('#'));
    titles.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
        kept.map(|char| if char == ' ' { '-' } else { char }).collect()
    })
}

/// Returns the lines outside of fenced code.
fn outside_fences(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_are_none() {
        let text = "[a](b.md) and [`c`](d.md#e), `[f](g)`\n```sh\n[h](i)\n```\n![j](k.png)";
        assert_eq!(targets(text).collect::<Vec<_>>(), ["b.md", "d.md#e", "k.png"]);
    }

    #[test]
    fn anchors_are_those_of_github() {
        let text = "# Keys & `COOKIE_SAME_SITE`\n```sh\n# no heading\n```\n## Where it's used, once";
        let found: Vec<_> = headings(text).collect();
        assert_eq!(found, ["keys--cookie_same_site", "where-its-used-once"]);
    }
}
