//! `cargo xtask bench`: builds what is measured and what measures, for speed, and runs it.

use anyhow::{Result, bail};
use clap::Subcommand;
use edgeward_tests::stack::{cargo, process};

use crate::progress;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum What {
    /// A request in Envoy, with Edgeward and with Envoy's own filters: writes docs/performance.md
    Edge {
        /// A minute instead of ten, and the page is left alone
        #[arg(long)]
        quick: bool,
    },
}

pub(crate) fn bench(what: &What) -> Result<()> {
    let mut log = progress::timed();
    log("building the filter");
    cargo::build_filter()?;
    log("building the benchmark");
    let mut command = cargo::command();
    command.args(["run", "--quiet", "--release", "--package", "edgeward-tests", "--no-default-features"]);
    command.args(["--features", "bench", "--bin", "edgeward-bench", "--"]);
    match what {
        What::Edge { quick } => command.arg("edge").args(quick.then_some("--quick")),
    };
    if process::run(&mut command)?.success() { Ok(()) } else { bail!("the benchmark has failed: see above") }
}
