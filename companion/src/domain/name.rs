//! A person's first or last name. No rule about what people are called lives here, only limits.

use std::fmt;
use std::ops::RangeInclusive;

/// The longest name kept, in characters.
const MAX_CHARS: usize = 100;

/// Characters that nobody sees: they make two names look the same, or turn the text around them. Unicode's format
/// characters (Cf) less those that are drawn, its line separators, and its blank letters.
const INVISIBLE: [RangeInclusive<char>; 15] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0001}'..='\u{e007f}',
];

/// A name: trimmed, 1 to 100 characters, all of them to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why a text cannot be kept as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMistake {
    /// Nothing but white space.
    Empty,
    /// More than 100 characters.
    TooLong,
    /// A control character, which Postgres (NUL) or a log could not hold, or an invisible one.
    Unseen,
}

impl Name {
    /// Reads a name as a person types it; surrounding white space does not count.
    pub fn parse(typed: &str) -> Result<Self, NameMistake> {
        let typed = typed.trim();
        if typed.is_empty() {
            Err(NameMistake::Empty)
        } else if typed.chars().count() > MAX_CHARS {
            Err(NameMistake::TooLong)
        } else if typed.chars().any(is_unseen) {
            Err(NameMistake::Unseen)
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

fn is_unseen(char: char) -> bool {
    char.is_control() || INVISIBLE.iter().any(|range| range.contains(&char))
}

impl fmt::Display for NameMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "A name is required",
            Self::TooLong => "A name has at most 100 characters",
            Self::Unseen => "A name has no control or invisible characters",
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
        check("José O’Brien-Ångström", Ok("José O’Brien-Ångström"));
        check("葛\u{e0100}城", Ok("葛\u{e0100}城"));
        check(&"é".repeat(100), Ok(&"é".repeat(100)));
    }

    #[test]
    fn names_that_cannot_be_kept_are_refused() {
        check(" \n", Err(NameMistake::Empty));
        check(&"é".repeat(101), Err(NameMistake::TooLong));
        for unseen in
            ['\0', '\u{1b}', '\u{85}', '\u{ad}', '\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{2069}']
        {
            check(&format!("A{unseen}da"), Err(NameMistake::Unseen));
        }
        for unseen in ['\u{61c}', '\u{2028}', '\u{2060}', '\u{3164}', '\u{feff}', '\u{e0041}'] {
            check(&format!("A{unseen}da"), Err(NameMistake::Unseen));
        }
    }
}
