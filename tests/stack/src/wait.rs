//! Waiting for a condition, with a limit, and giving up at once when a signal asks to stop; never a blind sleep.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const INTERVAL: Duration = Duration::from_millis(20);

// Signals belong to the whole process, and so does this flag.
static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The flag that a signal handler raises to end every wait.
#[must_use]
pub fn stop_flag() -> Arc<AtomicBool> {
    Arc::clone(&STOP)
}

/// `true` if a signal has asked to stop.
#[must_use]
pub fn stop_requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Tries until there is something, at most for `limit`; an error ends the wait.
pub fn until<T>(what: &str, limit: Duration, mut attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = attempt()? {
            return Ok(found);
        }
        if stop_requested() {
            bail!("interrupted while waiting for {what}");
        }
        if start.elapsed() > limit {
            bail!("{what} took longer than {} s", limit.as_secs());
        }
        thread::sleep(INTERVAL);
    }
}

/// Tries without heeding a request to stop, for the stopping itself; false when `limit` has passed.
pub fn patiently(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !done() {
        if start.elapsed() > limit {
            return false;
        }
        thread::sleep(INTERVAL);
    }
    true
}
