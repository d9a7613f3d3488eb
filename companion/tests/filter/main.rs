//! `edgeward filter`: the commands that run the filter's core offline, run as a person runs them.

#![expect(clippy::expect_used, reason = "the panic of a test is the report of a failure")]

mod cases;
mod check;
mod explain;

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Exit code and output of a run.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs `edgeward filter` in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeward"));
    command.arg("filter").args(arguments).env_clear().current_dir(folder);
    let output = command.output().expect("an output");
    Run {
        code: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Root of the repository.
fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Creates a folder with one file.
fn folder_with(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join(name), text).expect("a file");
    folder
}

/// Checks that the guide shows a line of output, or the end of one.
fn assert_in_guide(line: &str) {
    let guide = fs::read_to_string(repository().join("docs/guide/filter-rules.md")).expect("the guide");
    assert!(guide.lines().any(|shown| shown.ends_with(line)), "docs/guide/filter-rules.md lacks: {line}");
}
