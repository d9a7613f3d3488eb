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
    for header in headers {
        for value in pairs(header).filter_map(|pair| value(pair, name)) {
            if found.is_some_and(|earlier| earlier != value) {
                return Err(Repeated);
            }
            found = Some(value);
        }
    }
    Ok(found)
}

/// The pairs of a `Cookie` header value, as they stand between the semicolons.
#[must_use]
pub fn pairs(header: &[u8]) -> Pairs<'_> {
    Pairs(Some(header))
}

/// The pairs of a `Cookie` header value.
#[derive(Clone, Debug)]
pub struct Pairs<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Pairs<'a> {
    type Item = &'a [u8];

    // Once, however many look for cookies: this is on the path of every request.
    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let pairs = self.0?;
        let end = memchr::memchr(b';', pairs).and_then(|at| pairs.split_at_checked(at));
        let (pair, after) = end.map_or((pairs, None), |(pair, after)| (pair, after.get(1..)));
        self.0 = after;
        Some(pair)
    }
}

/// The value in a pair of this name, without the white space around either and without one pair of double quotes,
/// which RFC 6265 §4.1.1 allows around any value. A pair without `=` has no name (§5.2) and is nobody's. A cookie's name
/// has neither `=` nor white space in it (§4.1.1).
#[inline(never)]
#[must_use]
pub fn value<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let after = pair.trim_ascii_start().strip_prefix(name.as_bytes())?;
    let value = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
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
        check(&["access_token=\"x\""], Ok(Some("x")));
        check(&["access_token= \"x\" ; b=2"], Ok(Some("x")));
        check(&["access_token=\"x\"; access_token=x"], Ok(Some("x")));
        check(&["access_token=\"\""], Ok(Some("")));
        check(&["access_token=\"x"], Ok(Some("\"x")));
        check(&["access_token=x\""], Ok(Some("x\"")));
        check(&["access_token=\""], Ok(Some("\"")));
        check(&["access_token=\"\"x\"\""], Ok(Some("\"x\"")));
    }
}
