//! Names of the cookies, and the reading of `Cookie` headers: as bytes, by one rule, so that both halves see the
//! same cookies. Nothing is decoded.

use thiserror::Error;

/// Name of the access token's cookie: the filter's default for `cookies.access`, and the companion's name without
/// `COOKIE_PREFIX`.
pub const ACCESS: &str = "access_token";

/// Name of the refresh token's cookie: the filter's default for `cookies.refresh`, and the companion's name without
/// `COOKIE_PREFIX`.
pub const REFRESH: &str = "refresh_token";

/// Names of the device token's cookie: without a `COOKIE_PREFIX`, and with one. The companion alone reads its value.
pub const DEVICE: [&str; 2] = ["device_token", "__Secure-device_token"];

/// Name of the form key's cookie, without `COOKIE_PREFIX`. Not `form_key`, which is Magento's.
pub const FORM_KEY: &str = "edgeward_form_key";

/// Names of all cookies that the companion alone reads, with each `COOKIE_PREFIX`.
pub const OF_COMPANION: [&str; 5] = [
    "device_token",
    "__Secure-device_token",
    "edgeward_form_key",
    "__Secure-edgeward_form_key",
    "__Host-edgeward_form_key",
];

/// Fault of a request with several cookies of one name and different values. Which of them counts differs between
/// servers (RFC 6265 §4.2.2), so none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("several cookies of this name have different values")]
pub struct Repeated;

/// Returns the value of the cookie `name` among all `Cookie` header values of a request (RFC 6265 §4.2.1), as
/// [`value`] reads it; `None` if there is no such cookie.
///
/// # Errors
/// [`Repeated`] if there are several, with different values.
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

/// Splits a `Cookie` header value at its semicolons into pairs of name and value. White space stays.
#[must_use]
pub fn pairs(header: &[u8]) -> Pairs<'_> {
    Pairs(Some(header))
}

/// Iterator over the pairs of a `Cookie` header value.
#[derive(Clone, Debug)]
pub struct Pairs<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Pairs<'a> {
    type Item = &'a [u8];

    // One copy for all callers: every request runs through it, so its code stays in the processor's cache.
    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let pairs = self.0?;
        let end = memchr::memchr(b';', pairs).and_then(|at| pairs.split_at_checked(at));
        let (pair, after) = end.map_or((pairs, None), |(pair, after)| (pair, after.get(1..)));
        self.0 = after;
        Some(pair)
    }
}

/// Returns the value of a pair that has this name, without white space around it and without one pair of double
/// quotes, which RFC 6265 §4.1.1 allows around any value; `None` for another name, and for a pair without `=`, which
/// has no name (§5.2). `name` contains neither `=` nor white space (§4.1.1).
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
    fn cookies_of_the_companion_are_named_with_each_prefix() {
        let form_keys = ["", "__Secure-", "__Host-"].map(|prefix| format!("{prefix}{FORM_KEY}"));
        let names: Vec<&str> = DEVICE.into_iter().chain(form_keys.iter().map(String::as_str)).collect();
        assert_eq!(names, OF_COMPANION);
    }

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
