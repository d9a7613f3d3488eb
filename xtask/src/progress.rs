//! Progress for the user: one line a step, with the time since the start.

use std::io::Write as _;
use std::time::Instant;

/// Writes a line to stderr. A terminal that is gone is no error.
pub(crate) fn say(line: &str) {
    let _gone = writeln!(std::io::stderr(), "{line}");
}

/// Writes a detail of a step.
pub(crate) fn say_detail(line: &str) {
    say(&format!("  {line}"));
}

/// Returns a log whose lines begin with the time since the start.
pub(crate) fn timed() -> impl FnMut(&str) {
    let start = Instant::now();
    move |line| say(&format!("{:6.1}s  {line}", start.elapsed().as_secs_f32()))
}

/// Steps of a task, of which each is announced with its number, and the time since the start of the first.
pub(crate) struct Steps {
    start: Instant,
    number: usize,
    count: usize,
}

impl Steps {
    /// Begins a task of so many steps.
    pub(crate) fn new(count: usize) -> Self {
        Self { start: Instant::now(), number: 0, count }
    }

    /// Announces the next step.
    pub(crate) fn begin(&mut self, what: &str) {
        self.number += 1;
        say(&format!("step {} of {}: {what}, {} s", self.number, self.count, self.start.elapsed().as_secs()));
    }

    /// Announces that all steps are done.
    pub(crate) fn end(&self, what: &str) {
        say(&format!("{what}, {} s", self.start.elapsed().as_secs()));
    }
}
