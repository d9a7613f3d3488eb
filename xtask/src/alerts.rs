//! The alert rules of `deploy/observability/`: they pass their tests, and the runbook has a heading for each.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use edgeward_stack::{paths, process};

use crate::{progress, tool};

/// Checks the rules and the runbook. Without promtool, says so and leaves the rules untested.
pub(crate) fn check() -> Result<()> {
    let folder = paths::root().join("deploy/observability");
    let rules = fs::read_to_string(folder.join("alerts.yml")).context("cannot read alerts.yml")?;
    let tests = fs::read_to_string(folder.join("alerts.test.yml")).context("cannot read alerts.test.yml")?;
    let runbook = paths::root().join("docs/guide/runbook.md");
    let runbook =
        fs::read_to_string(&runbook).with_context(|| format!("cannot read {}", runbook.display()))?;
    let alerts = values(&rules, "- alert: ");
    compare("docs/guide/runbook.md has a heading for each alert", &alerts, &values(&runbook, "## "))?;
    compare("alerts.test.yml has a test for each alert", &alerts, &values(&tests, "- name: "))?;
    let mut promtool = Command::new("promtool");
    if promtool.arg("--version").output().is_err() {
        progress::say("  promtool is missing, so the rules are NOT tested; Debian has it in `prometheus`");
        return Ok(());
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["test", "rules", "alerts.test.yml"]).current_dir(&folder);
    tool::require(process::run(&mut promtool)?)
}

/// Returns the rest of each line that begins with `prefix`, after its indentation.
fn values<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(prefix)).collect()
}

fn compare(rule: &str, alerts: &BTreeSet<&str>, found: &BTreeSet<&str>) -> Result<()> {
    let different: Vec<&str> = alerts.symmetric_difference(found).copied().collect();
    if different.is_empty() { Ok(()) } else { bail!("{rule}, except {}", different.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alert_without_a_heading_and_heading_without_an_alert_are_named() {
        let rules = "rules:\n  - alert: Down\n    expr: up == 0\n  - alert: Slow\n";
        for (runbook, missing) in
            [("# Runbook\n## Down\n### Why\n## Slow\n", None), ("## Down\n## Late\n", Some("Late, Slow"))]
        {
            let compared = compare("each", &values(rules, "- alert: "), &values(runbook, "## "));
            assert_eq!(
                compared.err().map(|error| error.to_string()),
                missing.map(|names| format!("each, except {names}"))
            );
        }
    }
}
