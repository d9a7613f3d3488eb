//! Check of documents: the paths, the tests and the pages that they name exist.

mod links;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use edgeward_stack::paths;

use crate::files;
use crate::screenshots::terminal;

/// Documents beside those below `docs/`. Not the changelog: what it names may be gone.
const AT_THE_ROOT: [&str; 4] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"];
/// Folder of the documents that name tests.
const WITH_TESTS: &str = "docs/security";
/// Folders with tests.
const CODE: [&str; 6] = ["companion", "examples", "filter", "tests", "wire", "xtask"];
/// Extensions by which a path is told from other words.
const EXTENSIONS: [&str; 7] = ["rs", "toml", "yaml", "yml", "md", "sql", "json"];

/// Functions by name, each with the files that have one.
type Functions = BTreeMap<String, BTreeSet<String>>;

/// Checks every document, and lists all that it names and that does not exist.
pub(crate) fn check() -> Result<()> {
    let root = paths::root();
    let mut faults = Vec::new();
    let functions = functions(&root)?;
    for path in all()? {
        let text = read(&path)?;
        let name = path.strip_prefix(&root).unwrap_or(&path).display();
        let missing = named_paths(&text).filter(|path| !root.join(path).exists());
        faults.extend(missing.map(|path| format!("{name}: there is no {path}")));
        faults.extend(links::find_faults(&path, &text)?.into_iter().map(|fault| format!("{name}: {fault}")));
        if path.starts_with(root.join(WITH_TESTS)) {
            faults
                .extend(missing_tests(&text, &functions).into_iter().map(|fault| format!("{name}: {fault}")));
        }
    }
    faults.extend(links::find_unlisted()?);
    faults.extend(shown::find_faults()?);
    faults.extend(terminal::find_fault()?);
    if faults.is_empty() { Ok(()) } else { bail!("\n    {}", faults.join("\n    ")) }
}

/// Returns the files of all documents.
fn all() -> Result<Vec<PathBuf>> {
    let mut documents: Vec<_> = AT_THE_ROOT.iter().map(|name| paths::root().join(name)).collect();
    documents.extend(files::below("docs", "md")?);
    Ok(documents)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Finds the functions of all code.
fn functions(root: &Path) -> Result<Functions> {
    let mut functions = Functions::new();
    for folder in CODE {
        for path in files::below(folder, "rs")? {
            let file = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            for name in declared(&read(&path)?) {
                functions.entry(name.to_owned()).or_default().insert(file.clone());
            }
        }
    }
    Ok(functions)
}

/// Returns the names of the functions in a source text.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next())
}

/// Returns the texts in backticks that look like a path of this repository.
fn named_paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|quoted| is_path(quoted))
}

/// Lists the test names in backticks that no code has, and those that the files in parentheses behind them do not have.
fn missing_tests(text: &str, functions: &Functions) -> Vec<String> {
    let mut faults = Vec::new();
    for line in text.lines() {
        // Tests since the last parentheses.
        let mut tests = Vec::new();
        let mut between = "";
        for (at, part) in line.split('`').enumerate() {
            if at % 2 == 0 {
                between = part;
            } else if is_test(part) {
                if between != ", " && between != " and " {
                    tests.clear();
                }
                tests.push(part);
                if !functions.contains_key(part) {
                    faults.push(format!("there is no test {part}"));
                }
            } else if is_path(part) && (between == " (" || between == ", ") {
                let elsewhere =
                    |test: &&&str| functions.get(**test).is_some_and(|files| !files.contains(part));
                faults.extend(tests.iter().filter(elsewhere).map(|test| format!("{test} is not in {part}")));
            } else {
                tests.clear();
            }
        }
    }
    faults
}

/// `true` for the name of a test: a sentence. Names of four words and more are nothing else, but for Envoy's settings.
fn is_test(quoted: &str) -> bool {
    let word =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    quoted.matches('_').count() >= 3 && quoted.chars().all(word) && !quoted.starts_with("xff_")
}

/// `true` for a path from the root of the checkout. Single file names are not: a sentence may have said whose they are.
fn is_path(quoted: &str) -> bool {
    let plain =
        quoted.chars().all(|character| character.is_ascii_alphanumeric() || "/._-".contains(character));
    let file = Path::new(quoted).extension().is_some_and(|end| EXTENSIONS.iter().any(|known| end == *known));
    let elsewhere = quoted.starts_with('/') || quoted.starts_with("target/");
    plain && !elsewhere && quoted.contains('/') && (file || quoted.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_code() {
        for (quoted, expected) in [
            ("filter/core/src/gate.rs", true),
            ("migrations/", true),
            ("Cargo.toml", false),
            ("target/stack/stack.json", false),
            ("/login", false),
            ("/api/auth/", false),
            ("application/json", false),
            ("cargo xtask up", false),
            ("Identity", false),
            ("NNNN_name.up.sql …", false),
        ] {
            assert_eq!(is_path(quoted), expected, "{quoted}");
        }
    }

    #[test]
    fn only_text_in_backticks_is_checked() {
        let found: Vec<_> = named_paths("a/b.rs `c/d.rs` e/f.rs `g/` and `h`").collect();
        assert_eq!(found, ["c/d.rs", "g/"]);
    }

    #[test]
    fn tests_are_found_in_the_files_that_are_named_with_them() {
        let code = "#[test]\nfn it_is_so_here() {}\nasync fn it_is_so_too<T>() {}";
        assert_eq!(declared(code).collect::<Vec<_>>(), ["it_is_so_here", "it_is_so_too"]);
        let files = BTreeSet::from(["a/b.rs".to_owned(), "a/c.rs".to_owned()]);
        let functions = BTreeMap::from(
            ["it_is_so_here".to_owned(), "it_is_so_too".to_owned()].map(|name| (name, files.clone())),
        );
        for (line, faults) in [
            ("`it_is_so_here`, of `session_ended`", 0),
            ("`it_is_so_here`, `it_is_so_too` (`a/b.rs`, `a/c.rs`); `it_was_so_here`", 1),
            ("`it_is_so_here` and `it_is_so_too` (`a/d.rs`)", 2),
            ("`it_is_so_here` (`a/b.rs`), `it_is_so_too` (`a/b.rs`, `a/d.rs`)", 1),
            ("`it_is_so_here`. Limits are in `a/d.rs`", 0),
        ] {
            assert_eq!(missing_tests(line, &functions).len(), faults, "{line}");
        }
    }
}
