//! Cost of starting Envoy with the filter, compared with Envoy without it.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::configuration;
use super::edge::Bench;
use super::memory::resident_mib;
use super::scenario::{Filter, NATIVE, WASM};
use super::spread::Spread;
use edgeward_stack::envoy::Envoy;
use edgeward_stack::ports;

/// Lines of Envoy's log before and after it loads its only listener, for which it loads and configures the filter.
const FROM: &str = "loading 1 listener(s)";
const TO: &str = "loading stats configuration";

/// Costs of a listener with Edgeward beyond one without.
pub(super) struct Starts {
    pub(super) wasm: Start,
    pub(super) native: Start,
}

/// Cost of such a listener in one shell.
pub(super) struct Start {
    /// Time until the filter is loaded and configured, in milliseconds.
    pub(super) load: Spread,
    /// Memory with one worker, in MiB.
    pub(super) memory: Spread,
}

/// Starts Envoy repeatedly, without the filter and with it in each shell.
pub(super) fn measure(bench: &Bench) -> Result<Starts> {
    let mut all = Vec::new();
    for _ in 0..bench.effort.repeats {
        all.push([start(bench, Filter::None)?, start(bench, WASM)?, start(bench, NATIVE)?]);
    }
    let above_none = |shell: usize, figure: usize| {
        let difference = |round: &[[f64; 2]; 3]| round[shell][figure] - round[0][figure];
        Spread::of(all.iter().map(difference).collect())
    };
    let [wasm, native] =
        [1, 2].map(|shell| Start { load: above_none(shell, 0), memory: above_none(shell, 1) });
    Ok(Starts { wasm, native })
}

/// Renders the costs as the head and the first rows of a table.
pub(super) fn table(starts: &Starts) -> Result<String> {
    let Starts { wasm, native } = starts;
    let mut text = "| median (quartiles) | Edgeward, wasm | Edgeward, native |\n|---|---|---|\n".to_owned();
    writeln!(text, "| load and configure, ms | {:.0} | {:.0} |", wasm.load, native.load)?;
    writeln!(text, "| memory at the start, 1 worker, MiB | {:.1} | {:.1} |", wasm.memory, native.memory)?;
    Ok(text)
}

/// Starts Envoy. Returns the time to load the listener, in milliseconds, and Envoy's memory then, in MiB.
fn start(bench: &Bench, filter: Filter) -> Result<[f64; 2]> {
    let [admin, port] = ports::free()?;
    let text = configuration::render(admin, bench.servers, &[(port, filter)], &bench.parts);
    let directory = bench.directory.join("start");
    fs::create_dir_all(&directory)?;
    let envoy = Envoy::start(&bench.program, &text, admin, 1, &directory)?;
    let memory = resident_mib(&envoy)?;
    let log = envoy.log();
    let at = |what: &str| {
        let line = log.lines().find(|line| line.contains(what));
        line.and_then(time_of_day)
            .with_context(|| format!("Envoy's log has no line with a time and `{what}`"))
    };
    Ok([at(TO)?.saturating_sub(at(FROM)?).as_secs_f64() * 1e3, memory])
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
