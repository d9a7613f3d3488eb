//! Readings of a path by servers that fold its characters before they match it: other widths, hidden characters, letter
//! case. `path` and `rules` reject the paths that such a reading changes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization as _;

/// Returns the text as read by servers that fold compatibility characters (NFKC, UAX #15) and drop hidden ones.
pub(crate) fn compatibility(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().filter(|char| !is_ignorable(*char)).map(best_fit);
    Cow::Owned(shown.nfkc().filter(|char| !is_ignorable(*char)).collect())
}

/// Returns the text as read by servers that ignore letter case in any alphabet, besides [`compatibility`]. Texts that
/// are equal to any server are equal here.
pub(crate) fn case(text: &str) -> String {
    compatibility(text).to_uppercase().to_lowercase()
}

/// Returns a canonical path as read by servers that fold its characters and trim its segments.
pub(crate) fn path(path: &str) -> String {
    trim_segments(&case(&percent_decode_str(path).decode_utf8_lossy()))
}

/// Returns the path without the blanks around its segments and the dots at their ends, which servers on Windows trim.
pub(crate) fn trim_segments(path: &str) -> String {
    let trim = |segment: &str| {
        segment.trim_start().trim_end_matches(|char: char| char.is_whitespace() || char == '.').to_owned()
    };
    path.split('/').map(trim).collect::<Vec<_>>().join("/")
}

/// `true` if a canonical path may have another reading than its own spelling.
pub(crate) fn changes(path: &[u8]) -> bool {
    path.iter().any(|byte| byte.is_ascii_uppercase() || *byte == b'%')
        || path.split(|&byte| byte == b'/').any(|segment| segment.ends_with(b"."))
}

/// Replaces a character that code pages of Windows lack and turn into a slash (their "best fit"): 1252, and 932 and
/// 949, where the currency sign is the backslash.
const fn best_fit(char: char) -> char {
    match char {
        '\u{2044}' | '\u{2215}' => '/',
        '\u{2216}' | '\u{a5}' | '\u{ffe5}' | '\u{20a9}' | '\u{ffe6}' => '\\',
        other => other,
    }
}

/// `true` if the character is a `Default_Ignorable_Code_Point` (Unicode 17, DerivedCoreProperties.txt), which programs
/// leave out if they cannot show it.
const fn is_ignorable(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_widths_and_hidden_characters_fold_to_what_they_pass_for() {
        for (text, expected) in [
            ("/a b", "/a b"),
            ("ａｄｍｉｎ", "admin"),
            ("ad\u{ad}m\u{200b}in", "admin"),
            ("\u{2024}\u{ff0e}", ".."),
            ("\u{2025}", ".."),
            ("a／b＼c", "a/b\\c"),
            ("a\u{2215}b\u{2044}c\u{2216}d", "a/b/c\\d"),
            ("¥￥₩￦", "\\\\\\\\"),
            ("？＃；％", "?#;%"),
            ("\u{37e}", ";"),
            ("café", "café"),
            ("e\u{301}", "é"),
        ] {
            assert_eq!(compatibility(text), expected, "{text}");
        }
        assert_eq!(case("ＡdMİn ſ"), "admi\u{307}n s");
    }
}
