//! Program that runs the measurements, for `cargo xtask bench`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use edgeward_bench::{Effort, bans, edge, flood, refresh, scale, streams, two_builds};

const USAGE: &str = "usage: edgeward-bench bans|edge|flood|refresh|scale|streams [--quick] | edge --beside PLUGIN.wasm|MODULE.so";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let start = Instant::now();
    let mut log = |line: &str| eprintln!("{:6.1}s  {line}", start.elapsed().as_secs_f32());
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bans"] => bans(Effort::FULL, &mut log),
        ["bans", "--quick"] => bans(Effort::QUICK, &mut log),
        ["edge"] => edge(Effort::FULL, &mut log),
        ["edge", "--quick"] => edge(Effort::QUICK, &mut log),
        ["edge", "--beside", other] => two_builds(Effort::FULL, Path::new(other), &mut log),
        ["flood"] => flood(Effort::FULL, &mut log),
        ["flood", "--quick"] => flood(Effort::QUICK, &mut log),
        ["refresh"] => refresh(Effort::FULL, &mut log),
        ["refresh", "--quick"] => refresh(Effort::QUICK, &mut log),
        ["scale"] => scale(Effort::FULL, &mut log),
        ["scale", "--quick"] => scale(Effort::QUICK, &mut log),
        ["streams"] => streams(Effort::FULL, &mut log),
        ["streams", "--quick"] => streams(Effort::QUICK, &mut log),
        _ => bail!("{USAGE}"),
    }
}
