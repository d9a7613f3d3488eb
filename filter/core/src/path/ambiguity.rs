//! Reasons that a path has more than one reading.

use thiserror::Error;

/// Reason that a path is ambiguous, in the order of the checks. It has no name of the form `Invalid…`: most of these
/// paths are valid URIs, and they are rejected because servers read them in different ways. Its `Display` continues the
/// words "the path".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Ambiguity {
    /// It does not start with `/`: `*`, an authority, or nothing.
    #[error("does not start with /")]
    NotAbsolute,
    /// A byte that no URI may hold unescaped: a control, a space, `#`, or one beyond ASCII (RFC 3986 §2).
    #[error("has a byte that must be escaped")]
    ForbiddenByte,
    /// `\`, plain or escaped, which some servers read as `/`.
    #[error("has a backslash")]
    Backslash,
    /// `;`, plain, escaped or of another width: some servers cut the segment there before they match it.
    #[error("has a semicolon")]
    Parameter,
    /// `%` without two hexadecimal digits.
    #[error("has a % without two hexadecimal digits")]
    BrokenEscape,
    /// `%2F`, or another character that passes for a slash: one to some servers, a letter to others.
    #[error("has an escaped slash")]
    EscapedSlash,
    /// `%00` to `%1F` or `%7F`.
    #[error("has an escaped control character")]
    EscapedControl,
    /// `%25`, or a percent sign of another width, before two hexadecimal digits: another escape to servers that decode
    /// twice.
    #[error("has an escape that is escaped itself")]
    DoubleEscape,
    /// Escapes that are not UTF-8 (over-long forms and surrogates included).
    #[error("has escapes that are not UTF-8")]
    NotUtf8,
    /// `//`, or a segment of hidden characters and blanks alone, which servers trim to nothing.
    #[error("has an empty segment")]
    EmptySegment,
    /// `.` or `..` as a segment in any spelling, or a segment that becomes one where servers trim blanks, fold other
    /// widths, drop hidden characters, or end the path at an escaped `?` or `#`.
    #[error("has a segment of dots")]
    DotSegment,
    /// A rule with another access applies to the path as many servers read it: without regard to case and width,
    /// without hidden characters, and without blanks around its segments and dots at their ends.
    #[error("is for another rule without regard to letter case, width and hidden characters")]
    LetterCase,
    /// A rule with another access applies to the path if it ends at an escaped `?` or `#`, as for servers that decode
    /// it first.
    #[error("is for another rule if it ends at an escaped delimiter")]
    Delimiter,
}
