//! A person's first or last name. There are limits here, and no rules about what people are called.

use icu_normalizer::ComposingNormalizerBorrowed;

use thiserror::Error;

use super::text::{is_all_visible, trim};

/// Maximum length of a name, in characters. Chosen: ample for a first or a last name.
pub const MAX_CHARS: usize = 100;

/// Name: trimmed, in NFC, 1 to 100 characters, all of them visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Fault of a text that cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// The text is white space alone.
    #[error("A name is required")]
    Empty,
    /// The text has more than 100 characters.
    #[error("A name has at most {MAX_CHARS} characters")]
    TooLong,
    /// There is a control character, which Postgres (NUL) or a log cannot hold, or an invisible one.
    #[error("A name has no control or invisible characters")]
    InvisibleCharacter,
}

impl Name {
    /// Reads a name as a person types it. Blanks and invisible characters around it are removed.
    ///
    /// # Errors
    /// [`InvalidName`] names the first fault, in the order of its variants.
    pub fn parse(typed: &str) -> Result<Self, InvalidName> {
        let name = compose(&trim(typed));
        if name.is_empty() {
            Err(InvalidName::Empty)
        } else if name.chars().count() > MAX_CHARS {
            Err(InvalidName::TooLong)
        } else if !is_all_visible(&name) {
            Err(InvalidName::InvisibleCharacter)
        } else {
            Ok(Self(name))
        }
    }

    /// Wraps the name of a stored row as it is: an imported one need not have this form.
    #[must_use]
    pub fn stored(name: String) -> Self {
        Self(name)
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Converts a name to NFC, so that a search finds it however the keyboard spells `é`. A name with a compatibility
/// ideograph stays as it is: NFC replaces these by characters that look different, and U+FA19 is in people's names.
pub(super) fn compose(name: &str) -> String {
    let is_compatibility_ideograph =
        |char| matches!(char, '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}');
    if name.chars().any(is_compatibility_ideograph) {
        name.to_owned()
    } else {
        ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expected: Result<&str, InvalidName>) {
        assert_eq!(Name::parse(typed).as_ref().map(Name::as_str).map_err(|m| *m), expected, "{typed:?}");
    }

    #[test]
    fn names_are_trimmed_and_otherwise_unchanged() {
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
    fn names_that_look_the_same_are_stored_in_one_spelling() {
        check("Zoe\u{308}", Ok("Zo\u{eb}"));
        check("A\u{30a}ngstro\u{308}m", Ok("Ångström"));
        check(&"e\u{301}".repeat(100), Ok(&"é".repeat(100)));
        check("\u{fa19}山", Ok("\u{fa19}山"));
    }

    #[test]
    fn invisible_characters_are_rejected_within_and_removed_around() {
        check(" \n", Err(InvalidName::Empty));
        check(&"é".repeat(101), Err(InvalidName::TooLong));
        check("\u{200b}\u{3164}", Err(InvalidName::Empty));
        for control in ['\0', '\u{7f}', '\u{2800}'] {
            check(&format!("A{control}da"), Err(InvalidName::InvisibleCharacter));
            check(&format!("Ada{control}"), Err(InvalidName::InvisibleCharacter));
        }
        for hidden in ['\u{ad}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{3164}', '\u{e0041}'] {
            check(&format!("A{hidden}da"), Err(InvalidName::InvisibleCharacter));
            check(&format!("{hidden}Ada{hidden}"), Ok("Ada"));
        }
    }
}
