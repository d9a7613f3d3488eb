//! Runs commands of the `edgeward` binary on a test's database.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use edgeward_stack::paths;

/// Runs `edgeward` with the address of a database, and with `input` on standard input.
#[must_use]
pub fn run(url: &str, arguments: &[&str], input: &str) -> Output {
    let program = paths::program("edgeward");
    let mut command = Command::new(&program);
    command.args(arguments).env_clear().current_dir(std::env::temp_dir());
    command.env("DATABASE_URL", url).env("APP_ENV", "test").env("BCRYPT_COST", "4");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    child.stdin.take().expect("an input").write_all(input.as_bytes()).ok();
    child.wait_with_output().expect("an output")
}
