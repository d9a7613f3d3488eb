//! Completions and manual pages, read by the programs that they are for.

#![expect(clippy::expect_used, reason = "the panic of a test is the report of a failure")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

fn edgeward(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeward"));
    output(command.env_clear().current_dir(folder).args(arguments))
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("an output");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns a folder with the script of a shell.
fn script_for(shell: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = edgeward(folder.path(), &["completions", shell]);
    fs::write(folder.path().join("script"), script).expect("a file");
    folder
}

#[test]
fn bash_completes_commands_options_and_values() {
    let folder = script_for("bash");
    let complete = |line: &str| {
        let script = format!(
            "source ./script; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _edgeward edgeward \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        output(Command::new("bash").args(["--norc", "-c", &script]).current_dir(folder.path()))
    };
    for (line, expected) in [
        ("edgeward ser", "serve\n"),
        ("edgeward keys ro", "rotate\n"),
        ("edgeward keys generate --fo", "--force\n"),
        ("edgeward completions z", "zsh\n"),
    ] {
        assert_eq!(complete(line), expected, "{line}");
    }
}

#[test]
fn scripts_of_other_shells_name_every_command() {
    for (shell, start) in [("zsh", "#compdef edgeward\n"), ("fish", "# Print an optspec")] {
        let folder = script_for(shell);
        let script = fs::read_to_string(folder.path().join("script")).expect("a script");
        assert!(script.starts_with(start), "{shell}: {script:.80}");
        for command in ["serve", "migrate", "rotate", "set-password", "explain"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn each_command_has_a_manual_page_that_others_refer_to() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = edgeward(folder.path(), &["man"]);
    assert!(page.contains(".TH edgeward 1") && page.contains("edgeward\\-serve(1)"), "{page}");
    assert_eq!(edgeward(folder.path(), &["man", "man1"]), "");
    let read = |name: &str| fs::read_to_string(folder.path().join("man1").join(name)).expect("a page");
    assert_eq!(read("edgeward.1"), page);
    let pages = fs::read_dir(folder.path().join("man1")).expect("a folder");
    for entry in pages {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let text = read(&name);
        // A page names those of its commands as `edgeward\-user(1)`.
        for reference in text.lines().filter_map(|line| line.strip_suffix("(1)")) {
            let file = format!("{}.1", reference.replace('\\', ""));
            assert!(folder.path().join("man1").join(&file).exists(), "{name}: there is no {file}");
        }
    }
}
