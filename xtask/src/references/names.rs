//! Pages written by hand that must name everything of a kind that the code has: metrics, audit events, rejections.

use std::fs;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

use crate::files;

/// Lists the names that the code has and a page lacks.
pub(super) fn find_faults() -> Result<Vec<String>> {
    let metrics = read("docs/guide/metrics.md")?;
    let events = read("docs/guide/users.md")?;
    let mut faults = Vec::new();
    for path in files::below("companion/src/telemetry/metrics", "rs")? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // Those of the process have no prefix, and names of their own.
        let names = registered(&text).filter(|_| !path.ends_with("process.rs"));
        let missing = names.filter(|name| !metrics.contains(&format!("`edgeward_{name}")));
        faults.extend(missing.map(|name| format!("docs/guide/metrics.md: there is no edgeward_{name}")));
    }
    let native = read("filter/native/src/metrics.rs")?;
    let of_filter = native.split('"').skip(1).step_by(2).filter(|text| text.starts_with("edgeward_"));
    let missing = of_filter.filter(|name| !metrics.contains(&format!("`{name}`")));
    faults.extend(missing.map(|name| format!("docs/guide/metrics.md: there is no {name}")));

    let audit = read("companion/src/domain/audit/names.rs")?;
    let names = audit.split_once("pub const NAMES").map_or("", |(_, rest)| rest);
    let names = names.split("];").next().unwrap_or_default().split('"').skip(1).step_by(2);
    let missing = names.filter(|name| !events.contains(&format!("`{name}`")));
    faults.extend(missing.map(|name| format!("docs/guide/users.md: there is no event {name}")));
    Ok(faults)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(paths::root().join(path)).with_context(|| format!("cannot read {path}"))
}

/// Returns the names that a file registers: the first texts of its calls.
fn registered(text: &str) -> impl Iterator<Item = &str> {
    let calls = text.split("registry.register").skip(1);
    calls.filter_map(|call| {
        let (_, arguments) = call.split_once('(')?;
        arguments.trim_start().strip_prefix('"')?.split('"').next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_metric_is_the_first_text_of_its_registration() {
        let code = "registry.register(\"bans\", \"Bans\", x);\nregistry.register_with_unit(\n    \"wait\",\n \"W\");\nregistry.register(name);";
        assert_eq!(registered(code).collect::<Vec<_>>(), ["bans", "wait"]);
    }
}
