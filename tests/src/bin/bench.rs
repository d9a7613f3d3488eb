//! `cargo xtask bench` runs this, built for speed: the measurements of `edgeward_tests::bench`.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use edgeward_tests::bench::{self, Effort};

const USAGE: &str = "usage: edgeward-bench edge|refresh [--quick]";

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
        ["edge"] => bench::edge(Effort::FULL, &mut log),
        ["edge", "--quick"] => bench::edge(Effort::QUICK, &mut log),
        ["refresh"] => bench::refresh(Effort::FULL, &mut log),
        ["refresh", "--quick"] => bench::refresh(Effort::QUICK, &mut log),
        _ => bail!("{USAGE}"),
    }
}
