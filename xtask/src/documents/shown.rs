//! Files that a document shows in full: the page and the file agree.

use std::fs;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

/// Page with a difference whose new side is a file, and the file. Comments before its first member are left out.
const DIFFERENCE: (&str, &str) = ("docs/start/your-service.md", "examples/minimal/envoy.yaml");

/// Lists the page if it shows anything but the file.
pub(super) fn find_faults() -> Result<Option<String>> {
    let (page, file) = DIFFERENCE;
    let read = |path: &str| {
        fs::read_to_string(paths::root().join(path)).with_context(|| format!("cannot read {path}"))
    };
    let (text, shown) = (read(file)?, new_side(&read(page)?));
    let start = text.find("\nstatic_resources:").map_or(0, |at| at + 1);
    let is_equal = text.get(start..) == Some(shown.as_str());
    Ok((!is_equal).then(|| format!("{page}: the difference does not lead to {file}")))
}

/// Returns the new side of the first difference of a page.
fn new_side(page: &str) -> String {
    let block =
        page.split("```diff\n").nth(1).and_then(|rest| rest.split("```\n").next()).unwrap_or_default();
    let kept = block.lines().filter(|line| !line.starts_with('-'));
    kept.map(|line| line.get(1..).unwrap_or_default().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_side_has_the_lines_that_stay_and_those_that_are_added() {
        assert_eq!(new_side("A\n```diff\n a:\n-  b\n+  c\n```\nD\n"), "a:\n  c\n");
    }
}
