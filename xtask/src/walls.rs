//! Check of walls: which modules of a crate may use which, the names reserved to some, and the lengths of files.

mod companion;
mod filter;
mod graph;
mod length;
mod names;
mod source;

use std::collections::{BTreeMap, BTreeSet};

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
    /// In named layers, from the foundation up. A module may use those of its layer and of the layers below it.
    Layered(&'static [(&'static str, &'static [&'static str])]),
}

impl Modules {
    /// `true` if the module has a place in the order.
    fn has(&self, module: &str) -> bool {
        match self {
            Self::Ordered(order) => order.iter().any(|(known, _)| *known == module),
            Self::Layered(layers) => layers.iter().any(|(_, modules)| modules.contains(&module)),
        }
    }

    /// `true` if a module may use another one. A module without a place may.
    fn may_use(&self, from: &str, to: &str) -> bool {
        match self {
            Self::Ordered(order) => {
                order.iter().find(|(module, _)| *module == from).is_none_or(|(_, used)| used.contains(&to))
            }
            Self::Layered(layers) => {
                let layer = |module| layers.iter().position(|(_, modules)| modules.contains(&module));
                layer(from).is_none_or(|from| layer(to) <= Some(from))
            }
        }
    }
}

const CRATES: [Crate; 4] = [companion::COMPANION, filter::CORE, filter::WASM, filter::NATIVE];

/// Checks every wall, and prints what it has found.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    for walls in &CRATES {
        faults.extend(walls.check()?);
    }
    for (shell, max) in [(&filter::WASM, filter::MAX_WASM_CODE), (&filter::NATIVE, filter::MAX_NATIVE_CODE)] {
        faults.extend(check_shell(shell.folder, max)?);
    }
    for max in MAX_LINES {
        let known = LONG.iter().map(|(path, _)| *path).filter(|path| path.starts_with(max.folder));
        faults.extend(max.find_long(&source::read(max.folder)?, &known.collect::<Vec<_>>()));
    }
    for (path, reason) in LONG {
        progress::say(&format!("  long: {path}: {reason}"));
    }
    if faults.is_empty() { Ok(()) } else { bail!("\n    {}", faults.join("\n    ")) }
}

/// Modules or crates, each with those that it uses.
pub(crate) type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Returns which modules of the companion use which.
pub(crate) fn companion_arrows() -> Result<Arrows> {
    Ok(Graph::read(&source::read(companion::COMPANION.folder)?).arrows())
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
        let (cycles, up) = (graph.cycles(), graph.arrows_up(&self.modules));
        let (modules, arrows) = graph.size();
        progress::say(&format!(
            "  {}: {modules} modules, {arrows} arrows between them, {} cycles, {} arrows up",
            self.folder,
            cycles.len(),
            up.len()
        ));
        let mut faults = names::find_reserved(&sources, self.reserved);
        faults.extend(graph.unknown(&self.modules).map(|module| {
            format!("{}: {module} has no place in the order of modules of xtask/src/walls/", self.folder)
        }));
        faults.extend(cycles.iter().map(|cycle| graph.describe(cycle)));
        faults.extend(up);
        Ok(faults)
    }
}

/// Checks how much code a shell of the filter has.
fn check_shell(folder: &str, max: usize) -> Result<Option<String>> {
    let sources = source::read(folder)?;
    let lines: usize = sources.iter().filter(|source| !source.is_test()).map(|source| source.lines).sum();
    let code: usize = sources
        .into_iter()
        .filter(|source| !source.is_test())
        .map(|source| source.without_tests().lines_of_code())
        .sum();
    progress::say(&format!(
        "  {folder}: {code} lines of code of at most {max}, {lines} with comments and blank lines"
    ));
    Ok((code > max).then(|| {
        format!("{folder} has {code} lines of code, more than {max}: move what decides into filter/core")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_uses_its_own_layer_and_those_below() {
        let layers = Modules::Layered(&[("low", &["a", "b"]), ("high", &["c"])]);
        for (from, to, expected) in
            [("a", "b", true), ("c", "a", true), ("a", "c", false), ("new", "c", true), ("a", "new", true)]
        {
            assert_eq!(layers.may_use(from, to), expected, "{from} {to}");
        }
        assert!(layers.has("c") && !layers.has("low") && !layers.has("new"));
    }
}
