//! The cookies of a request: finding one by its name, and taking ours out of a header. What is not ours keeps
//! every byte.

use edgeward_wire::cookie::{pairs, split};

pub use edgeward_wire::cookie::{Repeated, find};

/// A `Cookie` header value without the cookies of these names, or `None` where it holds none of them.
/// Empty when nothing else is left.
#[must_use]
pub fn without(header: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let is_ours =
        |pair: &[u8]| split(pair).is_some_and(|(this, _)| names.iter().any(|name| this == name.as_bytes()));
    let mut left = Vec::with_capacity(header.len());
    let (mut found, mut is_first) = (false, true);
    for pair in pairs(header) {
        if is_ours(pair) {
            found = true;
            continue;
        }
        if !std::mem::take(&mut is_first) {
            left.push(b';');
        }
        left.extend_from_slice(pair);
    }
    // The space behind a semicolon goes with what stood before it.
    left.drain(..left.len() - left.trim_ascii_start().len());
    found.then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removal_takes_our_cookies_and_nothing_else() {
        fn check(header: &[u8], expected: Option<&[u8]>) {
            let left = without(header, &["access_token", "refresh_token"]);
            assert_eq!(left.as_deref(), expected, "{}", header.escape_ascii());
        }
        check(b"", None);
        check(b"a=1; b=2", None);
        check(b"access_token=x", Some(b""));
        check(b"access_token=x; refresh_token=y", Some(b""));
        check(b"a=1; access_token=x; b=2", Some(b"a=1; b=2"));
        check(b"access_token=x; a=1", Some(b"a=1"));
        check(b"a=1; refresh_token=y", Some(b"a=1"));
        check(b"a=1;access_token=x;b = \"2\" ;c", Some(b"a=1;b = \"2\" ;c"));
        check(
            b"access_token=x; my_access_token=1; access_tokens=2",
            Some(b"my_access_token=1; access_tokens=2"),
        );
        check(b"\xff=\xfe; access_token=x", Some(b"\xff=\xfe"));
        check(b"access_token=x; access_token", Some(b"access_token"));
        check(b"a=1; access_token =x", Some(b"a=1"));
    }
}
