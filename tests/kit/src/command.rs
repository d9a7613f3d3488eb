//! Runs commands of the `edgeward` binary on a test's database.

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use edgeward_stack::paths;

use crate::client::PASSWORD;

/// Runs `edgeward` with the address of a database, and with `input` on standard input.
#[must_use]
pub fn run(url: &str, arguments: &[&str], input: &str) -> Output {
    finish(start(url, &[], arguments), input)
}

/// Starts `edgeward` with the address of a database and these additional settings.
#[must_use]
pub fn start(url: &str, settings: &[(&str, &str)], arguments: &[&str]) -> Child {
    let program = paths::program("edgeward");
    let mut command = Command::new(&program);
    command.args(arguments).env_clear().current_dir(std::env::temp_dir());
    command.env("DATABASE_URL", url).env("APP_ENV", "test").env("BCRYPT_COST", "4");
    command.envs(settings.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// Writes `input` to the standard input of a command, and waits for its end.
#[must_use]
pub fn finish(mut child: Child, input: &str) -> Output {
    let mut standard_input = child.stdin.take().expect("an input");
    // Beside the reading of the output, of which a pipe holds no more than 64 KiB.
    thread::scope(|scope| {
        scope.spawn(move || standard_input.write_all(input.as_bytes()).ok());
        child.wait_with_output().expect("an output")
    })
}

/// Runs a command, and checks its exit code and a part of its output, which never has the password.
///
/// # Panics
/// If either is another.
pub fn check(url: &str, arguments: &[&str], input: &str, code: i32, expected: &str) {
    let output = run(url, arguments, input);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(expected), "{arguments:?}: {text}");
    assert!(!text.contains(PASSWORD));
}
