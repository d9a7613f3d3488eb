//! Cookies of a request (RFC 6265 §5.4): search by name, and removal of our cookies from a header. All other cookies
//! keep every byte.

use edgeward_wire::cookie::{pairs, value};

pub use edgeward_wire::cookie::{Repeated, find};

/// Value of a cookie, if there is one.
pub type Found<'a> = Result<Option<&'a [u8]>, Repeated>;

/// Returns the values of several cookies, each as [`find`] does, in one pass.
pub fn find_each<'a, const N: usize>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    names: [&str; N],
) -> [Found<'a>; N] {
    let mut all = [Ok(None); N];
    for header in headers {
        for pair in pairs(header) {
            for (found, name) in all.iter_mut().zip(&names) {
                let Some(value) = value(pair, name) else { continue };
                *found = match *found {
                    Ok(Some(earlier)) if earlier != value => Err(Repeated),
                    Ok(_) => Ok(Some(value)),
                    Err(Repeated) => Err(Repeated),
                };
            }
        }
    }
    all
}

/// Removes the cookies of these names from a `Cookie` header value. Returns the rest, which is written to `left` and
/// may be empty, or `None` if the value has none of these cookies.
pub fn without<'l>(header: &[u8], names: &[&str], left: &'l mut Vec<u8>) -> Option<&'l [u8]> {
    // Most cookies are of others, and their first byte says so: it costs less than to read each pair for each name.
    let is_ours = |pair: &[u8]| {
        let first = pair.trim_ascii_start().first();
        names.iter().any(|name| name.as_bytes().first() == first && value(pair, name).is_some())
    };
    left.clear();
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
    // The space after a semicolon belongs to the cookie before it.
    found.then(|| left.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_together_as_each_by_itself() {
        let headers: [&[&[u8]]; 7] = [
            &[],
            &[b"a=1; access_token=x"],
            &[b"access_token=x; refresh_token=\"y\"", b"b=2"],
            &[b"refresh_token=y", b"access_token=x"],
            &[b"access_token=x; access_token=x"],
            &[b"access_token=x; access_token=y; access_token=x", b"refresh_token"],
            &[b"refresh_token=", b" access_token = x ; refresh_token=y"],
        ];
        for headers in headers {
            let names = ["access_token", "refresh_token"];
            let each = names.map(|name| find(headers.iter().copied(), name));
            assert_eq!(find_each(headers.iter().copied(), names), each, "{headers:?}");
        }
    }

    // holds: promise 4
    #[test]
    fn only_our_cookies_are_removed() {
        fn check(header: &[u8], expected: Option<&[u8]>) {
            let mut left = Vec::new();
            let left = without(header, &["access_token", "refresh_token"], &mut left);
            assert_eq!(left, expected, "{}", header.escape_ascii());
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
