//! Lengths of source files: a maximum for each folder, and the files that are longer for a reason.

use super::source::Source;

/// Folder, and the maximum numbers of lines of its files, comments included.
pub(super) struct MaxLines {
    pub(super) folder: &'static str,
    /// Maximum for a source file.
    source: usize,
    /// Maximum for a file that holds tests alone.
    tests: usize,
}

pub(super) const MAX_LINES: [MaxLines; 6] = [
    MaxLines { folder: "companion/src", source: 250, tests: 250 },
    MaxLines { folder: "wire", source: 250, tests: 250 },
    MaxLines { folder: "xtask", source: 250, tests: 250 },
    MaxLines { folder: "examples", source: 250, tests: 250 },
    MaxLines { folder: "filter", source: 250, tests: 350 },
    MaxLines { folder: "tests", source: 250, tests: 350 },
];

/// Longer files, each with the reason.
pub(super) const LONG: [(&str, &str); 3] = [
    (
        "companion/src/domain/session/model/world.rs",
        "one world: a session, its clients, a thief and two clocks",
    ),
    ("filter/native/src/abi/stream.rs", "the callbacks of a stream, whose `unsafe` is in one file"),
    ("filter/wasm/src/host.rs", "the functions of the host, whose `unsafe` is in one file"),
];

impl MaxLines {
    /// Lists files that are too long and not known, and known ones that are not too long any more.
    pub(super) fn find_long(&self, sources: &[Source], known: &[&str]) -> Vec<String> {
        let max = |source: &Source| if source.is_test() { self.tests } else { self.source };
        let long: Vec<&Source> = sources.iter().filter(|source| source.lines > max(source)).collect();
        let new = long.iter().filter(|source| !known.contains(&source.path.as_str()));
        let mut faults: Vec<String> = new
            .map(|source| {
                format!("{} has {} lines, more than {}: split it", source.path, source.lines, max(source))
            })
            .collect();
        let stale = known.iter().filter(|path| !long.iter().any(|source| source.path == **path));
        faults.extend(
            stale.map(|path| format!("{path} is not too long any more: remove it from xtask/src/walls/")),
        );
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_a_long_file() {
        let sources =
            [("a.rs", 3), ("b.rs", 4)].map(|(path, lines)| Source::from_text(path, &"\n".repeat(lines)));
        for (source, known, faults) in
            [(4, &[][..], 0), (3, &[], 1), (3, &["b.rs"], 0), (4, &["b.rs"], 1), (3, &["c.rs"], 2)]
        {
            let max = MaxLines { folder: "", source, tests: 0 };
            assert_eq!(max.find_long(&sources, known).len(), faults, "{source} {known:?}");
        }
    }

    #[test]
    fn a_file_of_tests_has_a_maximum_of_its_own() {
        let sources = ["a/tests.rs", "a/tests/b.rs"].map(|path| Source::from_text(path, "\n\n"));
        for (tests, faults) in [(2, 0), (1, 2)] {
            let max = MaxLines { folder: "", source: 0, tests };
            assert_eq!(max.find_long(&sources, &[]).len(), faults, "{tests}");
        }
    }
}
