//! The canonical reading of a request's path, or a rejection. The rules are matched against the same path that every
//! upstream reads; a path that upstreams could read in several ways goes no further. The path that the upstream
//! receives is never rewritten.

mod ambiguity;

use std::borrow::Cow;

pub use ambiguity::Ambiguity;

use crate::fold;

/// Path without its query in the one spelling that rules are written in. It starts with `/`, has no empty, `.` or `..`
/// segment, and escapes in upper case exactly the bytes that may not stand in a path unescaped (RFC 3986 §3.3, §6.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a>(Cow<'a, [u8]>);

impl<'a> CanonicalPath<'a> {
    /// Reads the path of a request target in origin form (RFC 9112 §3.2.1), up to `?`.
    ///
    /// # Errors
    /// [`Ambiguity`], the first in the order of its variants but for [`Ambiguity::LetterCase`] and
    /// [`Ambiguity::Delimiter`], which depend on the rules.
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

    /// Returns the canonical spelling.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the canonical spelling, which is ASCII, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// `true` if a byte stands for itself in a path: `pchar` (RFC 3986 §3.3) without `;`, and `/`.
const fn stands_plain(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&'..=b':' | b'=' | b'@'..=b'Z' | b'_' | b'a'..=b'z' | b'~')
}

/// Returns the canonical spelling of a path that has escapes, or bytes that need one.
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
    if has_escape(&decoded) {
        return Err(Ambiguity::DoubleEscape);
    }
    let decoded = std::str::from_utf8(&decoded).map_err(|_| Ambiguity::NotUtf8)?;
    if decoded.contains([' ', '?', '#']) || !decoded.is_ascii() {
        check_folded(decoded)?;
    }
    Ok(canonical)
}

/// Decodes the two digits after a `%`. Returns their byte and the rest of the path.
fn unescape(after: &[u8]) -> Result<(u8, &[u8]), Ambiguity> {
    let (byte, rest) = hex_byte(after).ok_or(Ambiguity::BrokenEscape)?;
    match byte {
        b'/' => Err(Ambiguity::EscapedSlash),
        b'\\' => Err(Ambiguity::Backslash),
        b';' => Err(Ambiguity::Parameter),
        0..b' ' | 0x7f => Err(Ambiguity::EscapedControl),
        byte => Ok((byte, rest)),
    }
}

/// `true` if a decoded path has another escape. It may have been put together from several: `%25%32f` is `%2f`.
fn has_escape(decoded: &[u8]) -> bool {
    decoded.split(|&byte| byte == b'%').skip(1).any(|after| hex_byte(after).is_some())
}

/// Decodes two hexadecimal digits. Returns their byte and the rest of the text.
fn hex_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match text {
        [high, low, rest @ ..] => Some((16 * digit(*high)? + digit(*low)?, rest)),
        _ => None,
    }
}

/// Checks the segments of a canonical spelling, in which an escaped dot is a dot again.
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

/// Checks a decoded path by the readings of servers that fold its characters, trim blanks around its segments, or
/// search for its end after they decode it.
fn check_folded(decoded: &str) -> Result<(), Ambiguity> {
    let folded = fold::compatibility(decoded);
    if folded.contains('\\') {
        return Err(Ambiguity::Backslash);
    }
    if folded.contains(';') {
        return Err(Ambiguity::Parameter);
    }
    if has_escape(folded.as_bytes()) {
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
        // Servers on Windows trim dots and blanks at the end of a name. Segments of dots alone were checked already, as
        // they are written.
        let has_dots_alone = segment.chars().all(|char| char == '.');
        if !has_dots_alone && folded.chars().all(|char| char.is_whitespace() || char == '.') {
            return Err(Ambiguity::DotSegment);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
