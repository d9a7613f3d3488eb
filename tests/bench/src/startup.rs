//! Cost of starting Envoy with the filter, compared with Envoy without it.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::configuration;
use super::edge::Bench;
use super::report::median;
use super::scenario::{FEW_RULES, Filter};
use edgeward_stack::envoy::Envoy;
use edgeward_stack::{ports, process};

const REPEATS: usize = 5;
/// Lines of Envoy's log before and after it loads its only listener, for which it compiles the module and configures the
/// plugin.
const FROM: &str = "loading 1 listener(s)";
const TO: &str = "loading stats configuration";

/// Cost of a listener with Edgeward beyond one without.
pub(super) struct Start {
    /// Time until the plugin is compiled and configured, in milliseconds.
    pub(super) load: f64,
    /// Memory with one worker, in MiB: the code, and a VM each for the main thread and the worker.
    pub(super) memory: f64,
}

pub(super) fn measure(bench: &Bench) -> Result<Start> {
    let (mut load, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let without = start(bench, Filter::None)?;
        let with = start(bench, Filter::Edgeward { rules: FEW_RULES })?;
        load.push((with.0 - without.0) * 1e3);
        memory.push(with.1 - without.1);
    }
    Ok(Start { load: median(load), memory: median(memory) })
}

/// Starts Envoy. Returns the time to load the listener, in seconds, and Envoy's memory then, in MiB.
fn start(bench: &Bench, filter: Filter) -> Result<(f64, f64)> {
    let [admin, port] = ports::free()?;
    let text = configuration::render(admin, bench.servers.upstream, &[(port, filter)], &bench.parts);
    let directory = bench.directory.join("start");
    fs::create_dir_all(&directory)?;
    let envoy = Envoy::start(&bench.program, &text, admin, 1, &directory)?;
    let kib = u32::try_from(process::resident(envoy.pid())? / 1024)?;
    let log = envoy.log();
    let at = |what: &str| {
        let line = log.lines().find(|line| line.contains(what));
        line.and_then(time_of_day)
            .with_context(|| format!("Envoy's log has no line with a time and `{what}`"))
    };
    Ok((at(TO)?.saturating_sub(at(FROM)?).as_secs_f64(), f64::from(kib) / 1024.0))
}

/// Reads the time since midnight from a line that begins like `[2026-11-23 23:38:16.571][28960]`.
fn time_of_day(line: &str) -> Option<Duration> {
    let text = line.strip_prefix('[')?.split(']').next()?.split(' ').nth(1)?;
    let mut parts = text.split(':');
    let mut next = || parts.next()?.parse::<f64>().ok();
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    Duration::try_from_secs_f64(hours * 3600.0 + minutes * 60.0 + seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_day_is_read_from_a_line_of_the_log() {
        let line = "[2026-11-23 01:02:16.571][28960][info][config] [a.cc:148] loading 1 listener(s)";
        assert_eq!(time_of_day(line), Some(Duration::from_millis(3_736_571)));
        assert_eq!(time_of_day("something else"), None);
    }
}
