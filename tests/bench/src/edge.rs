//! `bench edge`: cost of a request in Envoy with Edgeward, with Envoy's own filters, and without a filter.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tokio::runtime::{Builder, Runtime};

use super::filters::Parts;
use super::measure::{self, Measured};
use super::memory::{self, Memory};
use super::servers::{self, Recorder, Servers};
use super::startup::{self, Starts};
use super::tokens::{self, Signed};
use super::{Effort, bare, feed, machine, now, page, report, scenario};
use edgeward_stack::shell::Shell;
use edgeward_stack::{envoy, paths};

/// Numbers of Envoy's workers, measured one after the other.
const WORKERS: [u32; 2] = [1, 2];
/// Name of the foreign function, and one of the same length that no host has.
const FUNCTION: &[u8] = b"verify_signature";
const NO_FUNCTION: &[u8] = b"absent_signature";

/// Parts that every measurement needs.
pub(super) struct Bench {
    pub(super) effort: Effort,
    pub(super) directory: PathBuf,
    pub(super) program: PathBuf,
    pub(super) parts: Parts,
    pub(super) signed: Signed,
    pub(super) runtime: Runtime,
    pub(super) servers: Servers,
    pub(super) recorder: Recorder,
}

/// Figures of a run.
pub(super) struct Figures {
    pub(super) effort: Effort,
    /// Scenarios by number of workers.
    pub(super) measured: Vec<(u32, Vec<Measured>)>,
    pub(super) starts: Starts,
    pub(super) memory: Memory,
    pub(super) wasm_bytes: u64,
    /// Name and number of the processors.
    pub(super) machine: (String, usize),
    pub(super) envoy: String,
}

/// Measures, prints the tables, and writes the page with its chart.
pub fn edge(effort: Effort, log: &mut dyn FnMut(&str)) -> Result<()> {
    let bench = prepare(effort, None, log)?;
    log("measuring the start of Envoy");
    let starts = startup::measure(&bench)?;
    let memory = memory::measure(&bench, log)?;
    let mut measured = Vec::new();
    for workers in WORKERS {
        log(&format!("measuring with {workers} worker{}", if workers == 1 { "" } else { "s" }));
        let scenarios = scenario::all(workers, &effort);
        measured.push((workers, measure::run(&bench, &scenarios, workers, log)?));
    }
    let figures = Figures {
        effort,
        measured,
        starts,
        memory,
        wasm_bytes: fs::metadata(Shell::Wasm.file())?.len(),
        machine: (machine::processor_name(), machine::processors()),
        envoy: envoy::version_of(&bench.program).context("cannot read the version of Envoy")?,
    };
    println!("{}", report::tables(&figures)?);
    // The figures of a quick run are too inexact for the documentation.
    let directory = if effort.published { paths::root().join("docs") } else { bench.directory };
    page::write(&directory, &figures)?;
    log(&format!("written: {}", directory.join(page::FILE).display()));
    Ok(())
}

/// Measures two builds of the plugin, or of the native module, in one Envoy, and prints a comparison. `other` is the build that
/// is not in `target/`.
pub fn two_builds(effort: Effort, other: &Path, log: &mut dyn FnMut(&str)) -> Result<()> {
    // Envoy loads a module by this path, wherever it was started.
    let other = other.canonicalize().with_context(|| format!("cannot find {}", other.display()))?;
    let shell = match other.extension().and_then(OsStr::to_str) {
        Some("wasm") => Shell::Wasm,
        Some("so") => Shell::Native,
        _ => bail!("{} is neither a plugin (.wasm) nor a native module (.so)", other.display()),
    };
    let bench = prepare(effort, Some(other), log)?;
    let measured = measure::run(&bench, &scenario::two_builds(shell, &effort), 1, log)?;
    println!("{}", report::comparison(&measured)?);
    Ok(())
}

fn prepare(effort: Effort, other: Option<PathBuf>, log: &mut dyn FnMut(&str)) -> Result<Bench> {
    let directory = paths::target().join("bench");
    fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let program = envoy::find_or_install(log)?;
    log(&format!("signing {} tokens, or taking those of the last run", effort.tokens));
    let signed = tokens::get(&directory.join("tokens"), effort.tokens, now())?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let recorder = Recorder::default();
    let keys = serde_json::from_value(signed.jwks.clone())?;
    let feed = feed::start(keys, effort.revocations)?;
    let servers = runtime.block_on(servers::start(Arc::clone(&recorder), feed))?;
    let parts = parts(&directory, &signed, servers, other)?;
    Ok(Bench { effort, directory, program, parts, signed, runtime, servers, recorder })
}

fn parts(directory: &Path, signed: &Signed, servers: Servers, other: Option<PathBuf>) -> Result<Parts> {
    let file = Shell::Wasm.file();
    let plugin = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let parts = Parts {
        jwks: signed.jwks.clone(),
        authz: servers.authz,
        other,
        alone: directory.join("alone.wasm"),
        idle: directory.join("idle.wasm"),
        idle_native: directory.join("libidle.so"),
        calling: directory.join("calling.wasm"),
    };
    fs::write(&parts.alone, without_the_function(plugin)?)?;
    fs::write(&parts.idle, bare::idle())?;
    fs::write(&parts.calling, bare::calling())?;
    bare::compile_native(&parts.idle_native)?;
    Ok(parts)
}

/// Returns the plugin for a host without the foreign function: it calls one that no host has.
fn without_the_function(mut plugin: Vec<u8>) -> Result<Vec<u8>> {
    let found: Vec<usize> = (0..plugin.len())
        .filter(|at| plugin.get(*at..).is_some_and(|rest| rest.starts_with(FUNCTION)))
        .collect();
    if found.is_empty() {
        bail!("the plugin does not name the foreign function `verify_signature`");
    }
    for at in found {
        plugin[at..at + FUNCTION.len()].copy_from_slice(NO_FUNCTION);
    }
    Ok(plugin)
}
