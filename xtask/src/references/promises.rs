//! Register of promises and invariants: each with the tests that hold it, which say so in a comment, `// holds: promise 3`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result};
use edgeward_stack::paths;

use crate::files;

/// Document with the promises and the register.
pub(super) const REGISTER: &str = "docs/security/promises.md";
/// Document with the invariants.
const INVARIANTS: &str = "ARCHITECTURE.md";
/// Beginning of a comment at a test.
const MARK: &str = "// holds: ";
/// Folders with tests.
const CODE: [&str; 6] = ["companion", "examples", "filter", "tests", "wire", "xtask"];

/// Promise or invariant, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Promise(u32),
    Invariant(u32),
}

/// Tests of each claim, by file.
type Register = BTreeMap<Claim, BTreeMap<String, Vec<String>>>;

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promise(number) => write!(formatter, "promise {number}"),
            Self::Invariant(number) => write!(formatter, "invariant {number}"),
        }
    }
}

impl Claim {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ')? {
            ("promise", number) => Some(Self::Promise(number.parse().ok()?)),
            ("invariant", number) => Some(Self::Invariant(number.parse().ok()?)),
            _ => None,
        }
    }
}

/// Returns the register as Markdown.
pub(super) fn render() -> Result<String> {
    let (register, _) = read()?;
    let mut text = String::new();
    for (claim, files) in &register {
        let count: usize = files.values().map(Vec::len).sum();
        let (kind, number) = match claim {
            Claim::Promise(number) => ("Promise", number),
            Claim::Invariant(number) => ("Invariant", number),
        };
        let tests = if count == 1 { "test" } else { "tests" };
        text.extend([format!("\n### {kind} {number}\n\n{count} {tests}:\n\n")]);
        for (file, tests) in files {
            let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
            text.extend([format!("- `{file}`: {}\n", tests.join(", "))]);
        }
    }
    Ok(text + "\n")
}

/// Lists comments that name no claim or stand at no test, and claims without a test.
pub(super) fn find_faults() -> Result<Vec<String>> {
    let (register, mut faults) = read()?;
    let mut claims = BTreeSet::new();
    for (path, kind, heading) in [
        (REGISTER, Claim::Promise as fn(u32) -> Claim, "# Promises"),
        (INVARIANTS, Claim::Invariant as fn(u32) -> Claim, "## Invariants"),
    ] {
        let text = std::fs::read_to_string(paths::root().join(path)).context(path)?;
        claims.extend(numbered(&text, heading).map(kind));
    }
    let named: BTreeSet<Claim> = register.keys().copied().collect();
    faults.extend(claims.difference(&named).map(|claim| format!("no test holds {claim}")));
    faults.extend(named.difference(&claims).map(|claim| format!("a test holds {claim}, which there is not")));
    Ok(faults)
}

/// Returns the numbers of the first numbered list below a heading.
fn numbered(text: &str, heading: &str) -> impl Iterator<Item = u32> {
    let below = text.lines().skip_while(move |line| *line != heading).skip(1);
    let section = below.take_while(|line| !line.starts_with("## "));
    section.filter_map(|line| line.split_once(". ")?.0.parse().ok())
}

/// Reads the comments of all code. Returns the register, and what is wrong with comments.
fn read() -> Result<(Register, Vec<String>)> {
    let (mut register, mut faults) = (Register::new(), Vec::new());
    for folder in CODE {
        for path in files::below(folder, "rs")? {
            let file = path.strip_prefix(paths::root()).unwrap_or(&path).to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).with_context(|| file.clone())?;
            read_file(&file, &text, &mut register, &mut faults);
        }
    }
    Ok((register, faults))
}

fn read_file(file: &str, text: &str, register: &mut Register, faults: &mut Vec<String>) {
    let mut lines = text.lines().map(str::trim_start);
    while let Some(line) = lines.next() {
        let Some(claims) = line.strip_prefix(MARK) else { continue };
        // Attributes and other comments may stand between the comment and the function.
        let is_between = |line: &&str| line.starts_with("#[") || line.starts_with("//");
        let Some(name) = lines.clone().find(|line| !is_between(line)).and_then(test_name) else {
            faults.push(format!("{file}: `{line}` stands at no test"));
            continue;
        };
        for claim in claims.split(", ") {
            let Some(claim) = Claim::parse(claim) else {
                faults.push(format!("{file}: {name} holds `{claim}`, which is no promise or invariant"));
                continue;
            };
            let tests = register.entry(claim).or_default().entry(file.to_owned()).or_default();
            tests.push(name.to_owned());
        }
    }
}

/// Returns the name of the function that a line declares.
fn test_name(line: &str) -> Option<&str> {
    let declared = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    declared.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(Claim, &str)], faults: usize) {
        let (mut register, mut found) = (Register::new(), Vec::new());
        read_file("a.rs", text, &mut register, &mut found);
        let tests = register
            .iter()
            .flat_map(|(claim, files)| files.values().flatten().map(|test| (*claim, test.as_str())));
        assert_eq!(tests.collect::<Vec<_>>(), expected, "{text}");
        assert_eq!(found.len(), faults, "{text}: {found:?}");
    }

    #[test]
    fn comment_gives_its_claims_to_the_test_below_it() {
        let both = "  // holds: invariant 3, promise 6\n  #[tokio::test]\n  async fn it_is_so() {}\n";
        check(both, &[(Claim::Promise(6), "it_is_so"), (Claim::Invariant(3), "it_is_so")], 0);
        check("// holds: promise 1\n#[test]\n// A reason.\nfn so<T>() {}", &[(Claim::Promise(1), "so")], 0);
        check("// holds: promise 1\nconst A: u8 = 1;", &[], 1);
        check("// holds: promise one\nfn so() {}", &[], 1);
    }

    #[test]
    fn claims_are_the_numbered_lines_below_their_heading() {
        let text = "1. No\n## Invariants\n\n1. One,\n   and more.\n2. Two\n\n## Next\n3. No\n";
        assert_eq!(numbered(text, "## Invariants").collect::<Vec<_>>(), [1, 2]);
    }
}
