//! One canonical reading of a request's path, or a refusal: what the rules are matched against is what
//! every upstream reads, or the request goes no further. It never rewrites what the upstream receives.

use std::borrow::Cow;

use crate::fold;

/// A path without its query in the one spelling that rules are written in: it starts with `/`, has no
/// empty, `.` or `..` segment, and escapes in upper case exactly what may not stand in a path unescaped
/// (RFC 3986 §3.3, §6.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a>(Cow<'a, [u8]>);

/// Why a path has more than one reading, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// It does not start with `/`: `*`, an authority, or nothing.
    NotAbsolute,
    /// A byte that no URI may hold unescaped: a control, a space, `#`, or one beyond ASCII.
    ForbiddenByte,
    /// `\`, plain or escaped, which some servers read as `/`.
    Backslash,
    /// `;`, plain, escaped or of another width: some servers cut the segment there before they match it.
    Parameter,
    /// `%` without two hexadecimal digits.
    BrokenEscape,
    /// `%2F`, or another character that passes for a slash: one to some servers, a letter to others.
    EscapedSlash,
    /// `%00` to `%1F` or `%7F`.
    EscapedControl,
    /// `%25`, or a percent sign of another width, before two hexadecimal digits: another escape to servers that decode
    /// twice.
    DoubleEscape,
    /// Escapes that are not UTF-8 (over-long forms and surrogates included).
    NotUtf8,
    /// `//`, or a segment of which nothing is shown, and which servers trim to nothing.
    EmptySegment,
    /// `.` or `..` as a segment, in any spelling, or what becomes one where blanks are trimmed, other widths folded,
    /// characters dropped that are not shown, or the path ends at an escaped `?` or `#`.
    DotSegment,
    /// A rule that asks something else would be for it as many servers read it: without regard to case and width, without
    /// hidden characters, and without blanks around its segments and dots at their ends.
    LetterCase,
    /// A rule that asks something else would be for it if it ended at an escaped `?` or `#`, where it ends for servers
    /// that decode it first.
    Delimiter,
}

impl<'a> CanonicalPath<'a> {
    /// Reads a request target in origin form (RFC 9112 §3.2.1): the path up to `?`.
    pub fn read(target: &'a [u8]) -> Result<Self, Ambiguity> {
        if target.first() != Some(&b'/') {
            return Err(Ambiguity::NotAbsolute);
        }
        let end = target.iter().position(|&byte| !stands_plain(byte)).unwrap_or(target.len());
        let canonical = match target.split_at_checked(end) {
            Some((path, b"" | [b'?', ..])) => Cow::Borrowed(path),
            _ => Cow::Owned(respell(target.split(|&byte| byte == b'?').next().unwrap_or_default())?),
        };
        check_segments(&canonical)?;
        Ok(Self(canonical))
    }

    /// The canonical spelling.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same, which is ASCII, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Whether a byte stands for itself in a path: `pchar` (RFC 3986 §3.3) without `;`, and `/`.
const fn stands_plain(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&'..=b':' | b'=' | b'@'..=b'Z' | b'_' | b'a'..=b'z' | b'~')
}

#[inline(never)]
fn respell(path: &[u8]) -> Result<Vec<u8>, Ambiguity> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut canonical = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match first {
            b'%' => unescape(after)?,
            b'\\' => return Err(Ambiguity::Backslash),
            b';' => return Err(Ambiguity::Parameter),
            b'#' | 0..=b' ' | 0x7f..=u8::MAX => return Err(Ambiguity::ForbiddenByte),
            plain => (plain, after),
        };
        decoded.push(byte);
        if stands_plain(byte) {
            canonical.push(byte);
        } else {
            canonical.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
        rest = after;
    }
    let decoded = std::str::from_utf8(&decoded).map_err(|_| Ambiguity::NotUtf8)?;
    if decoded.contains([' ', '?', '#']) || !decoded.is_ascii() {
        check_folded(decoded)?;
    }
    Ok(canonical)
}

/// The byte that the two digits after a `%` stand for, and what follows them.
fn unescape(after: &[u8]) -> Result<(u8, &[u8]), Ambiguity> {
    let (byte, rest) = hex_byte(after).ok_or(Ambiguity::BrokenEscape)?;
    match byte {
        b'/' => Err(Ambiguity::EscapedSlash),
        b'\\' => Err(Ambiguity::Backslash),
        b';' => Err(Ambiguity::Parameter),
        0..b' ' | 0x7f => Err(Ambiguity::EscapedControl),
        b'%' if hex_byte(rest).is_some() => Err(Ambiguity::DoubleEscape),
        byte => Ok((byte, rest)),
    }
}

fn hex_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match text {
        [high, low, rest @ ..] => Some((16 * digit(*high)? + digit(*low)?, rest)),
        _ => None,
    }
}

/// Judges the segments of a canonical spelling, in which an escaped dot is a dot again.
fn check_segments(canonical: &[u8]) -> Result<(), Ambiguity> {
    let mut rest = canonical;
    while let Some(at) = rest.iter().position(|&byte| byte == b'/') {
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest {
            [b'/', ..] => return Err(Ambiguity::EmptySegment),
            [b'.'] | [b'.', b'/', ..] | [b'.', b'.'] | [b'.', b'.', b'/', ..] => {
                return Err(Ambiguity::DotSegment);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Judges a decoded path as servers read it that fold its characters, trim blanks around its segments, or look for its
/// end once it is decoded.
fn check_folded(decoded: &str) -> Result<(), Ambiguity> {
    let folded = fold::compatibility(decoded);
    if folded.contains('\\') {
        return Err(Ambiguity::Backslash);
    }
    if folded.contains(';') {
        return Err(Ambiguity::Parameter);
    }
    if folded.split('%').skip(1).any(|after| hex_byte(after.as_bytes()).is_some()) {
        return Err(Ambiguity::DoubleEscape);
    }
    if folded.matches('/').count() != decoded.matches('/').count() {
        return Err(Ambiguity::EscapedSlash);
    }
    let before_end = folded.split(['?', '#']).next().unwrap_or_default();
    check_segments(before_end.as_bytes())?;
    let last = before_end.rsplit('/').next().unwrap_or_default();
    for (segment, folded) in decoded.split('/').zip(folded.split('/')).chain([(last, last)]) {
        if !segment.is_empty() && folded.trim().is_empty() {
            return Err(Ambiguity::EmptySegment);
        }
        // Servers on Windows take dots and blanks off the end of a name. Dots alone are judged as they are written.
        let is_written = segment.chars().all(|char| char == '.');
        if !is_written && folded.chars().all(|char| char.is_whitespace() || char == '.') {
            return Err(Ambiguity::DotSegment);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &[u8], expected: Result<&str, Ambiguity>) {
        let read = CanonicalPath::read(target);
        let read = read.as_ref().map(CanonicalPath::as_str);
        assert_eq!(read, expected.as_ref().copied(), "{:?}", target.escape_ascii().to_string());
    }

    #[test]
    fn an_unambiguous_path_has_one_spelling() {
        for (target, expected) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("/a?x=/../;#", "/a"),
            ("/%61dmin/%7Euser", "/admin/~user"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b", "/a%20b"),
            ("/a|b", "/a%7Cb"),
            ("/a%7cb", "/a%7Cb"),
            ("/100%25", "/100%25"),
            ("/100%25%EF%BC%9F", "/100%25%EF%BC%9F"),
            ("/a/%3F..", "/a/%3F.."),
            ("/%21$&'()*+,=:@", "/!$&'()*+,=:@"),
            ("/%3Fquery%23", "/%3Fquery%23"),
            ("/...", "/..."),
            ("/a/.../b%20c", "/a/.../b%20c"),
            ("/%20a/b%20", "/%20a/b%20"),
            ("/..a%20", "/..a%20"),
            ("/%E3%80%80a", "/%E3%80%80a"),
            ("/%E9%96%8B%E3%80%82/", "/%E9%96%8B%E3%80%82/"),
            ("/%EF%BC%9F", "/%EF%BC%9F"),
            ("/.well-known/x", "/.well-known/x"),
        ] {
            check(target.as_bytes(), Ok(expected));
        }
    }

    #[test]
    fn a_path_with_two_readings_is_refused() {
        for (target, expected) in [
            (&b""[..], Ambiguity::NotAbsolute),
            (b"*", Ambiguity::NotAbsolute),
            (b"*;", Ambiguity::NotAbsolute),
            (b"%2Fa", Ambiguity::NotAbsolute),
            (b"http://a/b", Ambiguity::NotAbsolute),
            (b"?/a", Ambiguity::NotAbsolute),
            (b"//a", Ambiguity::EmptySegment),
            (b"/a//b", Ambiguity::EmptySegment),
            (b"//", Ambiguity::EmptySegment),
            (b"/a/../b", Ambiguity::DotSegment),
            (b"/a/..", Ambiguity::DotSegment),
            (b"/./a", Ambiguity::DotSegment),
            (b"/%2e%2E/a", Ambiguity::DotSegment),
            (b"/a/.%2e", Ambiguity::DotSegment),
            (b"/a%2fb", Ambiguity::EscapedSlash),
            (b"/a%5Cb", Ambiguity::Backslash),
            (b"/a\\b", Ambiguity::Backslash),
            (b"/a;b", Ambiguity::Parameter),
            (b"/a%3bb", Ambiguity::Parameter),
            (b"/a#b", Ambiguity::ForbiddenByte),
            (b"/a b", Ambiguity::ForbiddenByte),
            (b"/a\0b", Ambiguity::ForbiddenByte),
            (b"/caf\xc3\xa9", Ambiguity::ForbiddenByte),
            (b"/a%00b", Ambiguity::EscapedControl),
            (b"/a%7f", Ambiguity::EscapedControl),
            (b"/a%2", Ambiguity::BrokenEscape),
            (b"/a%zz", Ambiguity::BrokenEscape),
            (b"/a%", Ambiguity::BrokenEscape),
            (b"/a%252fb", Ambiguity::DoubleEscape),
            (b"/a%2561", Ambiguity::DoubleEscape),
            (b"/public/..%20/admin", Ambiguity::DotSegment),
            (b"/a/%20../b", Ambiguity::DotSegment),
            (b"/a/.%20./b", Ambiguity::DotSegment),
            (b"/a/.%20", Ambiguity::DotSegment),
            (b"/a/...%20/b", Ambiguity::DotSegment),
            (b"/a/..%C2%A0/b", Ambiguity::DotSegment),
            (b"/a/..%E3%80%80/b", Ambiguity::DotSegment),
            (b"/a/.%E2%80%8B./b", Ambiguity::DotSegment),
            (b"/a/..%EF%BB%BF/b", Ambiguity::DotSegment),
            (b"/a/.%C2%AD/b", Ambiguity::DotSegment),
            (b"/a/%EF%BC%8E%EF%BC%8E/b", Ambiguity::DotSegment),
            (b"/a/%E2%80%A5/b", Ambiguity::DotSegment),
            (b"/a/%E2%80%A4./b", Ambiguity::DotSegment),
            (b"/a/%20/b", Ambiguity::EmptySegment),
            (b"/a/%E2%80%8B/b", Ambiguity::EmptySegment),
            (b"/a%EF%BC%8Fb", Ambiguity::EscapedSlash),
            (b"/a/..%E2%88%95b", Ambiguity::EscapedSlash),
            (b"/a%E2%81%84b", Ambiguity::EscapedSlash),
            (b"/a%EF%BC%BCb", Ambiguity::Backslash),
            (b"/a/..%C2%A5b", Ambiguity::Backslash),
            (b"/a/..%EF%BF%A6b", Ambiguity::Backslash),
            (b"/a/..%3Fb", Ambiguity::DotSegment),
            (b"/a/..%23", Ambiguity::DotSegment),
            (b"/a/.%3Fb/c", Ambiguity::DotSegment),
            (b"/a/..%20%3Fb", Ambiguity::DotSegment),
            (b"/a/..%EF%BC%9Fb", Ambiguity::DotSegment),
            (b"/a/%20%3Fb", Ambiguity::EmptySegment),
            (b"/a/..%EF%BC%9B/b", Ambiguity::Parameter),
            (b"/a/..%CD%BE/b", Ambiguity::Parameter),
            (b"/a/%EF%BC%852e%EF%BC%852e/b", Ambiguity::DoubleEscape),
            (b"/a/%25%EF%BC%92%EF%BD%86b", Ambiguity::DoubleEscape),
            (b"/a%c0%af", Ambiguity::NotUtf8),
            (b"/a%ed%a0%80", Ambiguity::NotUtf8),
            (b"/a%ff", Ambiguity::NotUtf8),
        ] {
            check(target, Err(expected));
        }
    }

    #[test]
    fn reading_the_canonical_spelling_again_changes_nothing() {
        for target in ["/", "/%61/caf%c3%a9/a|b/100%25", "/a%20b?c"] {
            let once = CanonicalPath::read(target.as_bytes()).unwrap();
            assert_eq!(CanonicalPath::read(once.as_str().as_bytes()).unwrap(), once);
        }
    }
}
