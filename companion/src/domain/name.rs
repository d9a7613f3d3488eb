//! A person's first or last name. No rule about what people are called lives here, only limits.

use std::fmt;

/// The longest name kept, in characters.
const MAX_CHARS: usize = 100;

/// A name: trimmed, 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why a text cannot be kept as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMistake {
    /// Nothing but white space.
    Empty,
    /// More than 100 characters.
    TooLong,
    /// A control character, which Postgres (NUL) or a log could not hold.
    ControlCharacter,
}

impl Name {
    /// Reads a name as a person types it; surrounding white space does not count.
    pub fn parse(typed: &str) -> Result<Self, NameMistake> {
        let typed = typed.trim();
        if typed.is_empty() {
            Err(NameMistake::Empty)
        } else if typed.chars().count() > MAX_CHARS {
            Err(NameMistake::TooLong)
        } else if typed.chars().any(char::is_control) {
            Err(NameMistake::ControlCharacter)
        } else {
            Ok(Self(typed.to_owned()))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NameMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "A name is required",
            Self::TooLong => "A name has at most 100 characters",
            Self::ControlCharacter => "A name has no control characters",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expected: Result<&str, NameMistake>) {
        assert_eq!(Name::parse(typed).as_ref().map(Name::as_str).map_err(|m| *m), expected, "{typed:?}");
    }

    #[test]
    fn names_are_trimmed_and_otherwise_left_alone() {
        check(" Ada ", Ok("Ada"));
        check("Þórdís Kolbrún", Ok("Þórdís Kolbrún"));
        check(&"é".repeat(100), Ok(&"é".repeat(100)));
    }

    #[test]
    fn names_that_cannot_be_kept_are_refused() {
        check(" \n", Err(NameMistake::Empty));
        check(&"é".repeat(101), Err(NameMistake::TooLong));
        check("A\0da", Err(NameMistake::ControlCharacter));
        check("A\u{1b}[31mda", Err(NameMistake::ControlCharacter));
    }
}
