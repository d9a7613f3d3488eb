//! Progress for the user: one line a step, with the time since the start.

use std::io::Write as _;
use std::time::Instant;

/// Writes a line to stderr. A terminal that is gone is no error.
pub(crate) fn say(line: &str) {
    let _gone = writeln!(std::io::stderr(), "{line}");
}

/// Returns a log whose lines begin with the time since the start.
pub(crate) fn timed() -> impl FnMut(&str) {
    let start = Instant::now();
    move |line| say(&format!("{:6.1}s  {line}", start.elapsed().as_secs_f32()))
}
