//! Memory of Envoy for many tokens that were seen, and for many revocations.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::configuration::{self, READY_PATH};
use super::edge::Bench;
use super::load::{Work, connect};
use super::measure::CONNECTIONS;
use super::request::{PATH, Template};
use super::scenario::{Filter, NATIVE, USUAL, USUAL_TOKENS, WASM, count_of};
use super::spread::Spread;
use edgeward_stack::envoy::Envoy;
use edgeward_stack::shell::Shell;
use edgeward_stack::{http, ports, process, wait};

/// Time in which every worker must know all revocations. Chosen: several times that of a million.
const SYNC_LIMIT: Duration = Duration::from_mins(5);
/// Time after which Envoy has returned the memory of the last response. Chosen: several ticks.
const SETTLE: Duration = Duration::from_secs(2);

/// Memory above that of the same Envoy without the tokens or the revocations, in MiB.
pub(super) struct Memory {
    /// Number of tokens.
    pub(super) tokens: usize,
    /// Of a worker of the plugin.
    pub(super) tokens_wasm: Spread,
    /// Of a process, with one worker and with two.
    pub(super) tokens_native: [Spread; 2],
    /// Number of revocations.
    pub(super) revocations: usize,
    /// Of a process, with one worker and with two.
    pub(super) revocations_wasm: [Spread; 2],
    pub(super) revocations_native: [Spread; 2],
}

/// Measures both, with repeated starts of Envoy.
pub(super) fn measure(bench: &Bench, log: &mut dyn FnMut(&str)) -> Result<Memory> {
    let (tokens, revocations) = (bench.effort.tokens, bench.effort.revocations);
    log(&format!("measuring the memory for {}", count_of(tokens, "token")));
    let repeat = |measure: &dyn Fn() -> Result<f64>| {
        (0..bench.effort.starts).map(|_| measure()).collect::<Result<_>>().map(Spread::of)
    };
    let by_tokens = |filter, workers| repeat(&|| with_tokens(bench, filter, workers));
    let (tokens_wasm, tokens_native) = (by_tokens(WASM, 1)?, [by_tokens(NATIVE, 1)?, by_tokens(NATIVE, 2)?]);
    log(&format!("measuring the memory for {}", count_of(revocations, "revocation")));
    let by_revocations = |shell, workers| {
        repeat(&|| {
            let without = following(bench, shell, 0, workers)?;
            Ok(following(bench, shell, revocations, workers)? - without)
        })
    };
    Ok(Memory {
        tokens,
        tokens_wasm,
        tokens_native,
        revocations,
        revocations_wasm: [by_revocations(Shell::Wasm, 1)?, by_revocations(Shell::Wasm, 2)?],
        revocations_native: [by_revocations(Shell::Native, 1)?, by_revocations(Shell::Native, 2)?],
    })
}

/// Renders the figures as rows of the table of [`startup`](super::startup::table).
pub(super) fn table(memory: &Memory) -> Result<String> {
    let mut text = String::new();
    let (tokens, revocations) =
        (count_of(memory.tokens, "token"), count_of(memory.revocations, "revocation"));
    let [one, two] = memory.tokens_native;
    writeln!(text, "| {tokens} seen, 1 worker, MiB | {:.1} | {one:.1} |", memory.tokens_wasm)?;
    writeln!(text, "| {tokens} seen, 2 workers, MiB | as much for each | {two:.1} |")?;
    for (at, workers) in ["1 worker", "2 workers"].into_iter().enumerate() {
        let (wasm, native) = (memory.revocations_wasm[at], memory.revocations_native[at]);
        writeln!(text, "| {revocations}, {workers}, MiB | {wasm:.1} | {native:.1} |")?;
    }
    Ok(text)
}

/// Returns the memory of Envoy, in MiB.
pub(super) fn resident_mib(envoy: &Envoy) -> Result<f64> {
    let kib = u32::try_from(process::resident(envoy.pid())? / 1024)?;
    Ok(f64::from(kib) / 1024.0)
}

/// Returns the growth of a warm Envoy when it sees every token.
fn with_tokens(bench: &Bench, filter: Filter, workers: u32) -> Result<f64> {
    let (envoy, port) = start(bench, filter, workers)?;
    let all = bench.signed.tokens.len();
    let work = |distinct| {
        Arc::new(Work::new(Template::new(USUAL, PATH, ""), Arc::clone(&bench.signed.tokens), distinct))
    };
    bench.runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS * usize::try_from(workers)? {
            connections.push(connect(port).await?);
        }
        work(USUAL_TOKENS).send(&mut connections, 10 * USUAL_TOKENS).await?;
        let before = resident_mib(&envoy)?;
        work(all).send(&mut connections, all).await?;
        Ok(resident_mib(&envoy)? - before)
    })
}

/// Returns the memory of an Envoy whose workers all follow a feed and know all of its revocations.
fn following(bench: &Bench, shell: Shell, revocations: usize, workers: u32) -> Result<f64> {
    let (envoy, port) = start(bench, Filter::Following { shell, revocations }, workers)?;
    wait::until("every worker's revocations", SYNC_LIMIT, || {
        Ok(http::is_status_everywhere(port, READY_PATH, 200).then_some(()))
    })
    .with_context(|| envoy.last_lines())?;
    thread::sleep(SETTLE);
    resident_mib(&envoy)
}

/// Starts Envoy with one listener. Returns its port too.
fn start(bench: &Bench, filter: Filter, workers: u32) -> Result<(Envoy, u16)> {
    let [admin, port] = ports::free()?;
    let text = configuration::render(admin, bench.servers, &[(port, filter)], &bench.parts);
    let directory = bench.directory.join("memory");
    fs::create_dir_all(&directory)?;
    Ok((Envoy::start(&bench.program, &text, admin, workers, &directory)?, port))
}
