//! Modules at the top of a crate, and the arrows between them: which module uses which.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use super::{Arrows, Modules};

/// Modules of a crate, each with those that it uses and the files in which it does.
pub(super) struct Graph<'s> {
    arrows: BTreeMap<&'s str, BTreeMap<&'s str, Vec<&'s str>>>,
}

impl<'s> Graph<'s> {
    /// Reads the arrows from paths that begin with `crate::`, or with as many `super::` as lead to the top.
    pub(super) fn read(sources: &'s [Source]) -> Self {
        let mut arrows: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for source in sources.iter().filter(|source| source.module != "lib" && source.module != "main") {
            arrows.entry(source.module.as_str()).or_default();
        }
        let modules: BTreeSet<&str> = arrows.keys().copied().collect();
        for source in sources {
            let Some(used) = arrows.get_mut(source.module.as_str()) else { continue };
            for name in names_at_top(source) {
                if name != source.module && modules.contains(name) {
                    let files = used.entry(name).or_default();
                    if files.last() != Some(&source.path.as_str()) {
                        files.push(source.path.as_str());
                    }
                }
            }
        }
        Self { arrows }
    }

    /// Returns every module with those that it uses.
    pub(super) fn arrows(&self) -> Arrows {
        let names = |used: &BTreeMap<&str, Vec<&str>>| used.keys().map(|to| (*to).to_owned()).collect();
        self.arrows.iter().map(|(from, used)| ((*from).to_owned(), names(used))).collect()
    }

    /// Returns the number of modules and the number of arrows.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.arrows.len(), self.arrows.values().map(BTreeMap::len).sum())
    }

    /// Lists arrows that the order of modules does not allow.
    pub(super) fn arrows_up(&self, order: &Modules) -> Vec<String> {
        let all =
            self.arrows.iter().flat_map(|(from, used)| used.iter().map(move |(to, files)| (from, to, files)));
        let up = all.filter(|(from, to, _)| !order.may_use(from, to));
        up.map(|(from, to, files)| format!("{from} may not use {to}: {}", files.join(", "))).collect()
    }

    /// Lists modules without a place in an order.
    pub(super) fn unknown(&self, order: &Modules) -> impl Iterator<Item = &'s str> {
        self.arrows.keys().copied().filter(|module| !order.has(module))
    }

    /// Lists the cycles: sets of modules of which each uses every other, by way of others or not (strongly connected
    /// components).
    pub(super) fn cycles(&self) -> Vec<BTreeSet<&'s str>> {
        let reach: BTreeMap<&str, BTreeSet<&str>> =
            self.arrows.keys().map(|module| (*module, self.reachable(module))).collect();
        let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|reached| reached.contains(to));
        let cycle_of = |module: &&'s str| {
            let others = self.arrows.keys().filter(|other| reaches(module, other) && reaches(other, module));
            others.copied().collect::<BTreeSet<_>>()
        };
        let cycles: BTreeSet<_> =
            self.arrows.keys().map(cycle_of).filter(|cycle| !cycle.is_empty()).collect();
        cycles.into_iter().collect()
    }

    /// Describes a cycle by its arrows, each with its files.
    pub(super) fn describe(&self, cycle: &BTreeSet<&str>) -> String {
        let from_cycle = self.arrows.iter().filter(|(from, _)| cycle.contains(*from));
        let arrows = from_cycle.flat_map(|(from, used)| {
            let within = used.iter().filter(|(to, _)| cycle.contains(*to));
            within.map(move |(to, files)| format!("{from} → {to} ({})", files.join(", ")))
        });
        format!("a cycle of modules:\n      {}", arrows.collect::<Vec<_>>().join("\n      "))
    }

    /// Returns the modules that a module uses, by way of others or not.
    fn reachable(&self, module: &str) -> BTreeSet<&'s str> {
        let used = |module: &str| self.arrows.get(module).into_iter().flat_map(BTreeMap::keys).copied();
        let (mut reached, mut next) = (BTreeSet::new(), used(module).collect::<Vec<_>>());
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(used(module));
            }
        }
        reached
    }
}

/// Returns the names at the top of the crate that the code of a file uses.
fn names_at_top(source: &Source) -> Vec<&str> {
    let depth = source.below.trim_end_matches("/mod.rs").matches('/').count() + 1;
    let by_super = "super::".repeat(depth);
    let code = source.code.as_str();
    let after = |prefix: &'static str| code.split(prefix).skip(1);
    let by_super = code.match_indices(&by_super).filter_map(|(at, found)| {
        // A longer way up ends outside of the crate; this is its end.
        let is_longer = code.get(..at)?.ends_with("super::");
        code.get(at + found.len()..).filter(|rest| !is_longer && !rest.starts_with("super::"))
    });
    after("crate::").chain(by_super).flat_map(first_names).collect()
}

/// Returns the first name of a path, or of each path of a group: `a::b` → `a`, `{a::{b, c}, d}` → `a`, `d`.
fn first_names(path: &str) -> Vec<&str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let name = |path: &'_ str| path.find(|char| !is_part(char)).unwrap_or(path.len());
    let Some(group) = path.strip_prefix('{') else {
        return path.get(..name(path)).into_iter().collect();
    };
    let (mut names, mut depth, mut start) = (Vec::new(), 1_u32, 0);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && char == ',' {
            let path = group.get(start..at).unwrap_or_default().trim_start();
            names.extend(path.get(..name(path)));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&[&str]]) {
        let sources: Vec<Source> = files.iter().map(|(path, code)| Source::from_text(path, code)).collect();
        let expected: Vec<BTreeSet<&str>> =
            expected.iter().map(|cycle| cycle.iter().copied().collect()).collect();
        assert_eq!(Graph::read(&sources).cycles(), expected, "{files:?}");
    }

    #[test]
    fn modules_that_use_each_other_are_a_cycle() {
        check(&[("a.rs", "crate::b::x"), ("b.rs", "crate::c::x"), ("c.rs", "")], &[]);
        check(&[("a.rs", "crate::b::x"), ("b/d.rs", "crate::a::x")], &[&["a", "b"]]);
        check(
            &[("a.rs", "crate::b::x"), ("b.rs", "crate::c::x"), ("c.rs", "crate::a::x")],
            &[&["a", "b", "c"]],
        );
        check(
            &[
                ("a.rs", "crate::b"),
                ("b.rs", "crate::a; crate::c"),
                ("c.rs", "crate::d"),
                ("d.rs", "crate::c"),
            ],
            &[&["a", "b"], &["c", "d"]],
        );
        check(&[("a.rs", "crate::a::x // crate::b"), ("lib.rs", "crate::a"), ("b.rs", "crate::lib")], &[]);
    }

    #[test]
    fn a_path_is_read_in_each_of_its_spellings() {
        for code in
            ["use crate::{c, b::{x, y}};", "use super::b::x;", "use super::{c, b};", "pub use crate::b;"]
        {
            check(&[("a.rs", code), ("b.rs", "crate::a"), ("c.rs", "")], &[&["a", "b"]]);
        }
        check(&[("a/d.rs", "use super::super::b;"), ("b.rs", "crate::a")], &[&["a", "b"]]);
        check(&[("a/mod.rs", "use super::b;"), ("b.rs", "crate::a")], &[&["a", "b"]]);
        // A module of the same name further down.
        check(&[("a/d.rs", "use super::b; use crate::c::{b};"), ("b.rs", "crate::a"), ("c.rs", "")], &[]);
    }
}
