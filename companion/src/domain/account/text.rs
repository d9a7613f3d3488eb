//! Visible and invisible characters of people's text. Invisible ones make two names look the same, or turn a line
//! around.

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
/// Characters with an empty glyph that Unicode does not call ignorable: a Braille cell without dots, and a musical null
/// notehead.
const BLANK: [char; 2] = ['\u{2800}', '\u{1d159}'];
/// Maximum number of marks between a joiner and its letter. Chosen: vowel signs come in threes at most.
const MAX_MARKS: usize = 8;

/// Pairs each character of a text with `true` if it is visible, or belongs to the spelling at its place.
///
/// Joiners have no glyph, but decide the shape of the letters beside them: without its U+200C, Persian علی‌رضا is
/// misspelt. They are accepted where RFC 5892 appendix A (CONTEXTJ) allows them, and where Unicode's core specification
/// does besides (chapter 12: Bengali ya-phalaa and Kannada repha have a joiner before the virama).
pub fn with_visibility(text: &str) -> impl Iterator<Item = (char, bool)> {
    text.char_indices().map(|(index, char)| {
        let (before, rest) = text.split_at_checked(index).unwrap_or_default();
        let mut after = rest.chars();
        after.next();
        (char, is_visible(char) || is_spelling(char, before.chars().rev(), after))
    })
}

/// Removes blanks and invisible characters at both ends of a text. Copying from a page brings these along.
#[must_use]
pub fn trim(text: &str) -> String {
    let all: Vec<(char, bool)> = with_visibility(text).collect();
    let is_kept =
        |&(char, is_visible): &(char, bool)| !char.is_whitespace() && (is_visible || !is_ignorable(char));
    let (first, last) = (all.iter().position(is_kept), all.iter().rposition(is_kept));
    let kept = first.zip(last).and_then(|(first, last)| all.get(first..=last)).unwrap_or_default();
    kept.iter().map(|(char, _)| char).collect()
}

/// Returns `true` if every character of a text is visible or belongs to its spelling.
#[must_use]
pub fn is_all_visible(text: &str) -> bool {
    with_visibility(text).all(|(_, is_visible)| is_visible)
}

/// Returns `true` if a display may leave a character out (Unicode's `Default_Ignorable_Code_Point`).
#[must_use]
pub fn is_ignorable(char: char) -> bool {
    DefaultIgnorableCodePoint::for_char(char)
}

/// Returns `true` if a character has a glyph or takes up space, wherever it stands.
fn is_visible(char: char) -> bool {
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

/// Returns `true` if a character without a glyph belongs to the spelling between `before` and `after`, both of which
/// give the nearest character first.
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
        // Unlike RFC 5892, after letters that join on one side alone too: people type U+200C there.
        ZWNJ => is_joining(joining.0) && is_joining(joining.1),
        // One side is enough: the letter takes the shape that it has within a word.
        ZWJ => is_joining(joining.0),
        // Before a final a or e.
        MVS => is_joining(joining.0) && matches!(next, Some('\u{1820}' | '\u{1821}')),
        _ => false,
    }
}

/// Returns `true` if a variation selector may choose the glyph of a character. In a name, ASCII has one glyph each.
fn has_variants(char: char) -> bool {
    !char.is_ascii() && !char.is_whitespace() && !is_ignorable(char)
}

fn is_virama(char: char) -> bool {
    CanonicalCombiningClass::for_char(char) == CanonicalCombiningClass::Virama
}

/// Returns the joining type of the nearest letter, past the marks on it.
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
        assert_eq!(is_all_visible(text), expected, "{text:?}");
    }

    #[test]
    fn joiners_belong_to_the_spelling_in_scripts_that_need_them() {
        for text in [
            "علی\u{200c}رضا",                      // Persian: Alireza
            "نور\u{200c}محمد",                     // Persian, after a letter that joins on one side
            "عَلِیّ\u{200c}رِضا",                      // with vowel signs
            "ه\u{200d}. موسوی",                    // an initial in its initial form
            "ශ\u{dca}\u{200d}රී",                   // Sinhala: Shri
            "ক\u{9cd}\u{200c}ষ",                   // Bengali, without the conjunct
            "র\u{200d}\u{9cd}যাচেল",                // Bengali: Rachel, with ya-phalaa
            "അവൻ ന\u{d4d}\u{200d}",                // Malayalam: an old chillu
            "क\u{94d}\u{200d}ष र\u{94d}\u{200d}य", // Devanagari: half letter, eyelash ra
            "ರ\u{200d}\u{ccd}ಯ",                   // Kannada: the other repha
            "க\u{bcd}\u{200c}ஷ",                   // Tamil
            "ᠰᠠᠷ\u{180e}ᠠ",                        // Mongolian: a separated final a
        ] {
            check(text, true);
        }
    }

    #[test]
    fn joiners_elsewhere_are_invisible() {
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
    fn blank_and_formatting_characters_are_invisible() {
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
            for invisible in first..=last {
                check(&format!("A{invisible}da"), false);
            }
        }
    }

    #[test]
    fn letters_marks_spaces_and_variants_are_visible() {
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
