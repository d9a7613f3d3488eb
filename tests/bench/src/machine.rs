//! Processor time of processes, and the processors that they run on. For Linux alone.

use std::fs;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Returns the processor time that the threads of a process have used together.
pub(super) fn cpu_time(pid: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(id(pid)?)
        .with_context(|| format!("cannot read the processor time of process {pid}"))?;
    Ok(clock_gettime(clock)?.into())
}

/// Pins Envoy to as many processors as it has workers, and this process to the others. `false` if there are no others.
pub(super) fn pin(envoy: u32, workers: u32) -> Result<bool> {
    let (workers, count) = (usize::try_from(workers)?, processors());
    if workers >= count {
        return Ok(false);
    }
    for task in fs::read_dir(format!("/proc/{envoy}/task"))? {
        let thread: i32 = task?.file_name().to_string_lossy().parse()?;
        sched_setaffinity(Pid::from_raw(thread), &set(0..workers)?)?;
    }
    sched_setaffinity(Pid::this(), &set(workers..count)?)?;
    Ok(true)
}

/// Lets this process run on every processor again.
pub(super) fn unpin(processors: usize) -> Result<()> {
    Ok(sched_setaffinity(Pid::this(), &set(0..processors)?)?)
}

/// Returns the number of processors that this process may use.
pub(super) fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Returns the name of the processor.
pub(super) fn processor_name() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "an unnamed processor".to_owned(), |(_, name)| name.to_owned())
}

fn set(range: std::ops::Range<usize>) -> Result<CpuSet> {
    let mut set = CpuSet::new();
    for cpu in range {
        set.set(cpu)?;
    }
    Ok(set)
}

fn id(pid: u32) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(pid)?))
}
