//! How both halves read a `Cookie` header: as bytes, by one rule, so that what one of them sees the other
//! sees too. Nothing is decoded.

/// A cookie of one name stands more than once, with different values: which one is meant depends on who
/// reads (RFC 6265 §4.2.2), so none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

/// The value of the cookie `name` among all `Cookie` header values of a request (RFC 6265 §4.2.1).
pub fn find<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    name: &str,
) -> Result<Option<&'a [u8]>, Repeated> {
    let mut found = None;
    for pair in headers.into_iter().flat_map(pairs) {
        match (split(pair), found) {
            (Some((this, value)), None) if this == name.as_bytes() => found = Some(value),
            (Some((this, value)), Some(earlier)) if this == name.as_bytes() && value != earlier => {
                return Err(Repeated);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The pairs of a `Cookie` header value, as they stand between the semicolons.
pub fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    std::iter::from_fn(move || {
        let (pair, after) = split_at_first(b';', rest?);
        rest = after;
        Some(pair)
    })
}

/// A pair's name and value without the white space around them; a pair without `=` has no name
/// (RFC 6265 §5.2) and is nobody's.
#[must_use]
pub fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = split_at_first(b'=', pair);
    Some((name.trim_ascii(), value?.trim_ascii()))
}

/// What stands before a byte's first place, and behind it where there is one.
fn split_at_first(byte: u8, bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    let before = memchr::memchr(byte, bytes).and_then(|at| bytes.split_at_checked(at));
    before.map_or((bytes, None), |(before, rest)| (before, rest.get(1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_exact_name() {
        fn check(headers: &[&str], expected: Result<Option<&str>, Repeated>) {
            let found = find(headers.iter().map(|header| header.as_bytes()), "access_token");
            assert_eq!(found, expected.map(|value| value.map(str::as_bytes)), "{headers:?}");
        }
        check(&[], Ok(None));
        check(&[""], Ok(None));
        check(&["access_token=x"], Ok(Some("x")));
        check(&["a=1; access_token=x; b=2"], Ok(Some("x")));
        check(&["a=1;access_token=x;b=2"], Ok(Some("x")));
        check(&["a=1", "b=2; access_token=x"], Ok(Some("x")));
        check(&[" \taccess_token = x "], Ok(Some("x")));
        check(&["access_token=x=y=="], Ok(Some("x=y==")));
        check(&["access_token="], Ok(Some("")));
        check(&["access_token"], Ok(None));
        check(&["xaccess_token=1; access_tokenx=2; Access_Token=3; $access_token=4"], Ok(None));
        check(&["access_token=x; access_token=x"], Ok(Some("x")));
        check(&["access_token=x; access_token=y"], Err(Repeated));
        check(&["access_token=x", "access_token=y"], Err(Repeated));
        check(&["access_token=x; access_token"], Ok(Some("x")));
        check(&["a=\"; access_token=x; \""], Ok(Some("x")));
    }
}
