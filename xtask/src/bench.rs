//! `cargo xtask bench`: builds what is measured and what measures, for speed, and runs it.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;
use edgeward_stack::{cargo, process, variable};

use crate::{filter, progress};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum What {
    /// A request in Envoy, with Edgeward and with Envoy's own filters: writes docs/performance.md
    Edge {
        /// A minute instead of ten, and the page is left alone
        #[arg(long)]
        quick: bool,
        /// Compare this build of the plugin with another in one Envoy, and nothing else: a path from the root of the checkout
        #[arg(long, value_name = "PLUGIN.wasm", conflicts_with = "quick")]
        beside: Option<PathBuf>,
    },
    /// A refresh in the companion, and at the edge: how many a second, and where the time and the memory go
    Refresh {
        /// Half a minute instead of two: shows that it works
        #[arg(long)]
        quick: bool,
    },
}

pub(crate) fn bench(what: &What) -> Result<()> {
    let mut log = progress::timed();
    log("building the filter");
    filter::build()?;
    let mut command = cargo::command();
    if let What::Refresh { .. } = what {
        log("building the companion and the demo upstream");
        cargo::build_programs()?;
        if variable("EDGEWARD").is_none() {
            command.env("EDGEWARD", cargo::build_fast_companion()?);
        }
    }
    log("building the benchmark");
    command.args(["run", "--quiet", "--release", "--package", "edgeward-bench", "--"]);
    match what {
        What::Edge { beside: Some(other), .. } => command.args(["edge", "--beside"]).arg(other),
        What::Edge { quick, .. } => command.arg("edge").args(quick.then_some("--quick")),
        What::Refresh { quick } => command.arg("refresh").args(quick.then_some("--quick")),
    };
    if process::run(&mut command)?.success() { Ok(()) } else { bail!("the benchmark has failed: see above") }
}
