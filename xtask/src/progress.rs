//! What the user sees: one line a step, with the time since the start; never a decision.

use std::io::Write as _;
use std::time::Instant;

/// Writes a line. A terminal that is gone is no reason to fail.
pub(crate) fn say(line: &str) {
    let _gone = writeln!(std::io::stderr(), "{line}");
}

/// A log whose lines tell how long the work has taken so far.
pub(crate) fn timed() -> impl FnMut(&str) {
    let start = Instant::now();
    move |line| say(&format!("{:6.1}s  {line}", start.elapsed().as_secs_f32()))
}
