//! Check of walls: which modules of a crate may use which, the names reserved to some, and the lengths of files.

mod companion;
mod filter;
mod graph;
mod length;
mod names;
mod source;

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::progress;
use graph::Graph;
use length::{LONG, MAX_LINES};
use names::Reserved;
use source::Source;

/// Walls within one crate.
struct Crate {
    folder: &'static str,
    /// `true` if they hold for tests too.
    with_tests: bool,
    modules: Modules,
    reserved: &'static [Reserved],
}

/// Modules at the top of a crate.
enum Modules {
    /// From the foundation up, each with those that it may use.
    Ordered(&'static [(&'static str, &'static [&'static str])]),
    /// In any order without a cycle. Cycles pass that lie within a known one.
    WithoutCycles { known: &'static [&'static [&'static str]] },
}

const CRATES: [Crate; 3] = [companion::COMPANION, filter::CORE, filter::SHELL];

/// Checks every wall, and prints what it has found.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    for walls in &CRATES {
        faults.extend(walls.check()?);
    }
    faults.extend(check_shell()?);
    for (folder, max) in MAX_LINES {
        let long = LONG.iter().map(|(path, _)| *path).chain(filter::LONG);
        let known: Vec<&str> = long.filter(|path| path.starts_with(&format!("{folder}/"))).collect();
        faults.extend(length::find_long(&source::read(folder)?, max, &known));
    }
    for (path, reason) in LONG {
        progress::say(&format!("  long: {path}: {reason}"));
    }
    if faults.is_empty() { Ok(()) } else { bail!("\n    {}", faults.join("\n    ")) }
}

impl Crate {
    /// Lists what breaks the walls of the crate.
    fn check(&self) -> Result<Vec<String>> {
        let mut sources = source::read(self.folder)?;
        if !self.with_tests {
            sources =
                sources.into_iter().filter(|source| !source.is_test()).map(Source::without_tests).collect();
        }
        let graph = Graph::read(&sources);
        let cycles = graph.cycles();
        let mut faults = names::find_reserved(&sources, self.reserved);
        let mut up = Vec::new();
        match self.modules {
            Modules::Ordered(order) => {
                up = graph.arrows_up(order);
                faults.extend(graph.unknown(order));
                faults.extend(check_cycles(&graph, &cycles, &[]));
            }
            Modules::WithoutCycles { known } => faults.extend(check_cycles(&graph, &cycles, known)),
        }
        let (modules, arrows) = graph.size();
        progress::say(&format!(
            "  {}: {modules} modules, {arrows} arrows between them, {} cycles, {} arrows up",
            self.folder,
            cycles.len(),
            up.len()
        ));
        faults.extend(up);
        Ok(faults)
    }
}

/// Lists cycles that lie within no known one, and known ones that are gone.
fn check_cycles(graph: &Graph<'_>, cycles: &[BTreeSet<&str>], known: &[&[&str]]) -> Vec<String> {
    let lies_within =
        |cycle: &BTreeSet<&str>, known: &[&str]| cycle.iter().all(|module| known.contains(module));
    let new = cycles.iter().filter(|cycle| !known.iter().any(|known| lies_within(cycle, known)));
    let mut faults: Vec<String> = new.map(|cycle| graph.describe(cycle)).collect();
    let gone = known.iter().filter(|known| !cycles.iter().any(|cycle| lies_within(cycle, known)));
    faults.extend(
        gone.map(|known| {
            format!("{} are a cycle no more: remove it from xtask/src/walls/", known.join(", "))
        }),
    );
    faults
}

/// Checks the length of the filter's shell.
fn check_shell() -> Result<Option<String>> {
    let sources = source::read(filter::SHELL.folder)?;
    let lines: usize = sources.iter().filter(|source| !source.is_test()).map(|source| source.lines).sum();
    let max = filter::MAX_SHELL_LINES + filter::MORE_SHELL_LINES;
    progress::say(&format!(
        "  {}: {lines} lines of at most {}",
        filter::SHELL.folder,
        filter::MAX_SHELL_LINES
    ));
    Ok((lines > max).then(|| format!("{} has {lines} lines, more than {max}", filter::SHELL.folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cycle_within_a_known_one_passes() {
        let sources = [Source::from_text("a.rs", "crate::b"), Source::from_text("b.rs", "crate::a")];
        let graph = Graph::read(&sources);
        for (known, faults) in
            [(&[][..], 1), (&[&["a", "b"][..]], 0), (&[&["a", "b", "c"]], 0), (&[&["b", "c"]], 2)]
        {
            assert_eq!(check_cycles(&graph, &graph.cycles(), known).len(), faults, "{known:?}");
        }
    }
}
