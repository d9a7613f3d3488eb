//! Visible and invisible characters of people's text. Invisible ones make two names look the same, or turn a line around.

use icu_properties::props::{
    BinaryProperty as _, CanonicalCombiningClass, DefaultIgnorableCodePoint, EnumeratedProperty as _,
    GeneralCategory, JoiningType, PrependedConcatenationMark, VariationSelector,
};

/// Zero width non-joiner.
const ZWNJ: char = '\u{200c}';
/// Zero width joiner.
const ZWJ: char = '\u{200d}';
/// Mongolian vowel separator.
const MVS: char = '\u{180e}';
/// Characters with an empty picture that Unicode does not call ignorable: a Braille cell without dots, and a note's head
/// that is left out.
const BLANK: [char; 2] = ['\u{2800}', '\u{1d159}'];
/// Number of marks that are looked past for the letter that a joiner stands beside. Vowel signs come in threes at most.
const MAX_MARKS: usize = 8;

/// The characters of a text, each with `true` if it is seen or belongs to the spelling where it stands.
///
/// Joiners have no picture, but decide the shape of the letters beside them: without its U+200C, Persian علی‌رضا is
/// misspelt. They count where RFC 5892 appendix A (CONTEXTJ) has them, and where Unicode's core specification does besides
/// (chapter 12: Bengali ya-phalaa and Kannada repha have a joiner before the virama).
pub fn characters(text: &str) -> impl Iterator<Item = (char, bool)> {
    text.char_indices().map(|(index, char)| {
        let (before, rest) = text.split_at_checked(index).unwrap_or_default();
        let mut after = rest.chars();
        after.next();
        (char, is_seen(char) || is_spelling(char, before.chars().rev(), after))
    })
}

/// A text without what is not seen at its ends: blanks, and what a copy from elsewhere has brought along.
#[must_use]
pub fn trim(text: &str) -> String {
    let all: Vec<(char, bool)> = characters(text).collect();
    let is_kept = |&(char, is_seen): &(char, bool)| !char.is_whitespace() && (is_seen || !is_ignorable(char));
    let (first, last) = (all.iter().position(is_kept), all.iter().rposition(is_kept));
    let kept = first.zip(last).and_then(|(first, last)| all.get(first..=last)).unwrap_or_default();
    kept.iter().map(|(char, _)| char).collect()
}

/// `true` if all of a text is seen.
#[must_use]
pub fn is_seen_whole(text: &str) -> bool {
    characters(text).all(|(_, is_seen)| is_seen)
}

/// `true` if a character may be left out of a display (Unicode's `Default_Ignorable_Code_Point`).
#[must_use]
pub fn is_ignorable(char: char) -> bool {
    DefaultIgnorableCodePoint::for_char(char)
}

/// `true` if a character is seen wherever it stands: its picture, or its space.
fn is_seen(char: char) -> bool {
    match GeneralCategory::for_char(char) {
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            false
        }
        // The Arabic signs that enclose a number.
        GeneralCategory::Format => PrependedConcatenationMark::for_char(char),
        _ if BLANK.contains(&char) => false,
        _ => !is_ignorable(char),
    }
}

/// `true` if a character that has no picture of its own belongs to the spelling between these, the nearest first.
fn is_spelling(
    char: char,
    mut before: impl Iterator<Item = char> + Clone,
    mut after: impl Iterator<Item = char> + Clone,
) -> bool {
    let joining = (joining_type(before.clone()), joining_type(after.clone()));
    let (Some(previous), next) = (before.next(), after.next()) else { return false };
    let is_letter = GeneralCategory::for_char(previous) == GeneralCategory::OtherLetter;
    match char {
        _ if VariationSelector::for_char(char) => has_variants(previous),
        ZWNJ | ZWJ if is_virama(previous) => true,
        ZWNJ | ZWJ if next.is_some_and(is_virama) => is_letter,
        // Wider than RFC 5892 by letters that join on one side alone: people type U+200C after those too.
        ZWNJ => is_joining(joining.0) && is_joining(joining.1),
        // One side is enough: it gives a letter the shape that it has within a word.
        ZWJ => is_joining(joining.0),
        // Before a last a or e.
        MVS => is_joining(joining.0) && matches!(next, Some('\u{1820}' | '\u{1821}')),
        _ => false,
    }
}

/// `true` if a variation selector may choose the picture of a character. Those of ASCII have one each in a name.
fn has_variants(char: char) -> bool {
    !char.is_ascii() && !char.is_whitespace() && !is_ignorable(char)
}

fn is_virama(char: char) -> bool {
    CanonicalCombiningClass::for_char(char) == CanonicalCombiningClass::Virama
}

/// Joining type of the nearest letter, past marks on it.
fn joining_type(chars: impl Iterator<Item = char>) -> JoiningType {
    chars
        .take(MAX_MARKS)
        .map(JoiningType::for_char)
        .find(|joining| *joining != JoiningType::Transparent)
        .unwrap_or(JoiningType::NonJoining)
}

fn is_joining(joining: JoiningType) -> bool {
    matches!(joining, JoiningType::DualJoining | JoiningType::LeftJoining | JoiningType::RightJoining)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: bool) {
        assert_eq!(is_seen_whole(text), expected, "{text:?}");
    }

    #[test]
    fn joiners_are_spelling_in_the_scripts_that_need_them() {
        for text in [
            "علی\u{200c}رضا",                      // Persian: Alireza
            "نور\u{200c}محمد",                     // Persian, after a letter that joins on one side
            "عَلِیّ\u{200c}رِضا",                      // with vowel signs
            "ه\u{200d}. موسوی",                    // an initial in the shape of a word's beginning
            "ශ\u{dca}\u{200d}රී",                   // Sinhala: Shri
            "ক\u{9cd}\u{200c}ষ",                   // Bengali, without the conjunct
            "র\u{200d}\u{9cd}যাচেল",                // Bengali: Rachel, with ya-phalaa
            "അവൻ ന\u{d4d}\u{200d}",                // Malayalam: an old chillu
            "क\u{94d}\u{200d}ष र\u{94d}\u{200d}य", // Devanagari: half letter, eyelash ra
            "ರ\u{200d}\u{ccd}ಯ",                   // Kannada: the other repha
            "க\u{bcd}\u{200c}ஷ",                   // Tamil
            "ᠰᠠᠷ\u{180e}ᠠ",                        // Mongolian: a last a that stands apart
        ] {
            check(text, true);
        }
    }

    #[test]
    fn joiners_elsewhere_are_not_seen() {
        for text in [
            "A\u{200c}da",
            "A\u{200d}da",
            "\u{200c}علی",
            "علی\u{200c}",
            "علی\u{200c}\u{200c}رضا",
            "علی\u{200c} رضا",
            "\u{200d}\u{94d}",
            "李\u{200d}明",
            "A\u{180e}\u{1820}",
            "ᠰᠠᠷ\u{180e}",
            "\u{fe0f}",
            "A\u{fe00}da",
            "☺\u{fe0f}\u{fe0f}",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn what_turns_hides_or_is_blank_is_not_seen() {
        for (first, last) in [
            ('\0', '\u{1f}'),
            ('\u{7f}', '\u{9f}'),
            ('\u{ad}', '\u{ad}'),
            ('\u{34f}', '\u{34f}'),
            ('\u{61c}', '\u{61c}'),
            ('\u{115f}', '\u{1160}'),
            ('\u{17b4}', '\u{17b5}'),
            ('\u{180e}', '\u{180e}'),
            ('\u{200b}', '\u{200f}'),
            ('\u{2028}', '\u{202e}'),
            ('\u{2060}', '\u{206f}'),
            ('\u{2800}', '\u{2800}'),
            ('\u{3164}', '\u{3164}'),
            ('\u{feff}', '\u{feff}'),
            ('\u{ffa0}', '\u{ffa0}'),
            ('\u{fff9}', '\u{fffb}'),
            ('\u{1bca0}', '\u{1bca3}'),
            ('\u{1d159}', '\u{1d159}'),
            ('\u{1d173}', '\u{1d17a}'),
            ('\u{e0001}', '\u{e007f}'),
        ] {
            for unseen in first..=last {
                check(&format!("A{unseen}da"), false);
            }
        }
    }

    #[test]
    fn letters_marks_spaces_and_variants_are_seen() {
        for text in [
            "",
            "Þórdís Kolbrún",
            "José O’Brien-Ångström",
            "山田\u{3000}太郎",
            "葛\u{e0100}城",
            "☺\u{fe0f}",
            "ᠰᠠᠢᠨ\u{180b}",
            "\u{600}١٢",
            "e\u{301}",
            "\u{a0}",
            "\u{10ffff}",
        ] {
            check(text, true);
        }
    }
}
