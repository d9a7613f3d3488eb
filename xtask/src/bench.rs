//! `cargo xtask bench`: builds the product and the benchmark, optimised, and runs the benchmark.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;
use edgeward_stack::shell::Shell;
use edgeward_stack::{cargo, process, variable};

use crate::{filter, progress};

/// Benchmark.
#[derive(Subcommand)]
pub(crate) enum What {
    /// Cost of a request in Envoy, with Edgeward and with Envoy's own filters: writes docs/performance.md
    Edge {
        /// Run for minutes instead of half an hour, and write no page
        #[arg(long)]
        quick: bool,
        /// Compare another build of the plugin or the native module with this one in one Envoy, and nothing else: a path from
        /// the root of the checkout
        #[arg(long, value_name = "PLUGIN.wasm|MODULE.so", conflicts_with = "quick")]
        beside: Option<PathBuf>,
    },
    /// Rate of logins beside bare bcrypt, other requests while logins flood, and the times of rejected logins
    Flood {
        /// Run for half a minute instead of two: shows that it works
        #[arg(long)]
        quick: bool,
    },
    /// Rate, time and memory of refreshes in the companion and at the edge
    Refresh {
        /// Run for half a minute instead of two: shows that it works
        #[arg(long)]
        quick: bool,
    },
    /// Processor time of the companion while a banned client floods the gateway with logins
    Bans {
        /// Flood for two seconds instead of twenty: shows that it works
        #[arg(long)]
        quick: bool,
    },
    /// Times of the SQL of logins, refreshes and lists with 5,000,000 users beside 50,000; needs 8 GiB of memory and of disk
    Scale {
        /// Compare 50,000 users with 5,000: shows that it works
        #[arg(long)]
        quick: bool,
    },
    /// Time from a logout to the end of the streams that it ends
    Streams {
        /// End five streams of each kind instead of a hundred: shows that it works
        #[arg(long)]
        quick: bool,
    },
}

pub(crate) fn bench(what: &What) -> Result<()> {
    let mut log = progress::timed();
    let shells = match what {
        What::Edge { .. } => vec![Shell::Wasm, Shell::Native],
        What::Scale { .. } => vec![],
        _ => vec![Shell::chosen()?],
    };
    for shell in shells {
        log(&format!("building the filter: {}", shell.file().display()));
        filter::build(shell)?;
    }
    let mut command = cargo::command();
    if let What::Bans { .. } | What::Flood { .. } | What::Refresh { .. } | What::Streams { .. } = what {
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
        What::Bans { quick } => command.arg("bans").args(quick.then_some("--quick")),
        What::Flood { quick } => command.arg("flood").args(quick.then_some("--quick")),
        What::Refresh { quick } => command.arg("refresh").args(quick.then_some("--quick")),
        What::Scale { quick } => command.arg("scale").args(quick.then_some("--quick")),
        What::Streams { quick } => command.arg("streams").args(quick.then_some("--quick")),
    };
    if process::run(&mut command)?.success() { Ok(()) } else { bail!("the benchmark failed: see above") }
}
