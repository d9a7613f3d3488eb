//! Lengths of source files: a maximum for each folder, and the files that are longer for a reason.

use super::source::Source;

/// Folders with the maximum number of lines of a file in them, tests included.
pub(super) const MAX_LINES: [(&str, usize); 6] = [
    ("companion/src", 250),
    ("wire", 250),
    ("xtask", 250),
    ("examples", 250),
    ("filter", 350),
    ("tests", 350),
];

/// Files that are longer, and why they are better in one piece.
pub(super) const LONG: [(&str, &str); 2] = [
    (
        "companion/src/config/settings.rs",
        "one table of data: what all documents about settings are made from",
    ),
    (
        "companion/src/domain/session/model/world.rs",
        "one world: a session, its clients, a thief and two clocks",
    ),
];

/// Lists files with more lines than their folder's maximum that are not known, and known ones that have become shorter.
pub(super) fn find_long(sources: &[Source], max: usize, known: &[&str]) -> Vec<String> {
    let is_long = |path: &str| sources.iter().any(|source| source.path == path && source.lines > max);
    let long = sources.iter().filter(|source| source.lines > max && !known.contains(&source.path.as_str()));
    let mut faults: Vec<String> =
        long.map(|source| format!("{} has {} lines, more than {max}", source.path, source.lines)).collect();
    let stale = known.iter().filter(|path| !is_long(path));
    faults.extend(
        stale.map(|path| format!("{path} is not longer than {max} lines: remove it from xtask/src/walls/")),
    );
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_a_long_file() {
        let sources =
            [("a.rs", 3), ("b.rs", 4)].map(|(path, lines)| Source::from_text(path, &"\n".repeat(lines)));
        for (max, known, faults) in
            [(4, &[][..], 0), (3, &[], 1), (3, &["b.rs"], 0), (4, &["b.rs"], 1), (3, &["c.rs"], 2)]
        {
            assert_eq!(find_long(&sources, max, known).len(), faults, "{max} {known:?}");
        }
    }
}
