//! A person's first or last name. No rule about what people are called lives here, only limits.

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::text::{is_seen_whole, trim};

/// The longest name kept, in characters.
const MAX_CHARS: usize = 100;

/// A name: trimmed, in NFC, 1 to 100 characters, all of them to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why a text cannot be kept as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidName {
    /// Nothing but white space.
    Empty,
    /// More than 100 characters.
    TooLong,
    /// A control character, which Postgres (NUL) or a log could not hold, or an invisible one.
    Unseen,
}

impl Name {
    /// Reads a name as a person types it; blanks and hidden characters around it do not count.
    pub fn parse(typed: &str) -> Result<Self, InvalidName> {
        let name = compose(&trim(typed));
        if name.is_empty() {
            Err(InvalidName::Empty)
        } else if name.chars().count() > MAX_CHARS {
            Err(InvalidName::TooLong)
        } else if !is_seen_whole(&name) {
            Err(InvalidName::Unseen)
        } else {
            Ok(Self(name))
        }
    }

    /// Takes the name of a stored row as it is: one that was imported need not have this form.
    #[must_use]
    pub fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The same name in NFC, so that it is found however the keyboard spells `é`. Only where that would give a character
/// another picture, the name stays as it is: NFC replaces compatibility ideographs, and 神 (U+FA19) is in people's names.
fn compose(name: &str) -> String {
    let is_compatibility_ideograph =
        |char| matches!(char, '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}');
    if name.chars().any(is_compatibility_ideograph) {
        name.to_owned()
    } else {
        ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned()
    }
}

impl fmt::Display for InvalidName {
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

    fn check(typed: &str, expected: Result<&str, InvalidName>) {
        assert_eq!(Name::parse(typed).as_ref().map(Name::as_str).map_err(|m| *m), expected, "{typed:?}");
    }

    #[test]
    fn names_are_trimmed_and_otherwise_left_alone() {
        check(" Ada ", Ok("Ada"));
        check("\u{feff}Ada\u{200b} ", Ok("Ada"));
        check("ന\u{d4d}\u{200d}", Ok("ന\u{d4d}\u{200d}"));
        check("Þórdís Kolbrún", Ok("Þórdís Kolbrún"));
        check("José O’Brien-Ångström", Ok("José O’Brien-Ångström"));
        check("葛\u{e0100}城", Ok("葛\u{e0100}城"));
        check("علی\u{200c}رضا", Ok("علی\u{200c}رضا"));
        check(&"é".repeat(100), Ok(&"é".repeat(100)));
    }

    #[test]
    fn a_name_is_kept_in_one_spelling_that_looks_the_same() {
        check("Zoe\u{308}", Ok("Zo\u{eb}"));
        check("A\u{30a}ngstro\u{308}m", Ok("Ångström"));
        check(&"e\u{301}".repeat(100), Ok(&"é".repeat(100)));
        check("\u{fa19}山", Ok("\u{fa19}山"));
    }

    #[test]
    fn hidden_characters_are_refused_within_a_name_and_dropped_around_it() {
        check(" \n", Err(InvalidName::Empty));
        check(&"é".repeat(101), Err(InvalidName::TooLong));
        check("\u{200b}\u{3164}", Err(InvalidName::Empty));
        for control in ['\0', '\u{7f}', '\u{2800}'] {
            check(&format!("A{control}da"), Err(InvalidName::Unseen));
            check(&format!("Ada{control}"), Err(InvalidName::Unseen));
        }
        for hidden in ['\u{ad}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{3164}', '\u{e0041}'] {
            check(&format!("A{hidden}da"), Err(InvalidName::Unseen));
            check(&format!("{hidden}Ada{hidden}"), Ok("Ada"));
        }
    }
}
