//! Levels of log lines.

/// Level of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A change that is expected.
    Info,
    /// A failure that the filter copes with.
    Warn,
    /// A failure that an operator must end.
    Error,
}
