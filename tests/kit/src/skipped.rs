//! Notice of what a test leaves out.

use std::io::Write as _;

/// Writes a line that is seen without `--nocapture`, too.
pub fn say_skipped(reason: &str) {
    // A terminal that is gone is no error.
    let _gone = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}
