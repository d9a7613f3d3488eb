//! Our two cookies: names, flags, lifetimes. What is in them is not looked at here.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use cookie::{Cookie, SameSite};
use time::Duration;

use crate::config;

/// The name of the access token's cookie, less the prefix.
const ACCESS: &str = "access_token";
/// The name of the refresh token's cookie, less the prefix.
const REFRESH: &str = "refresh_token";

/// How our cookies are marked.
#[derive(Clone)]
pub struct CookiePolicy {
    access_name: String,
    refresh_name: String,
    access_ttl: Duration,
    refresh_ttl: Duration,
    domain: Option<String>,
    secure: bool,
}

/// The `Set-Cookie` headers of an answer.
pub struct SetCookies([HeaderValue; 2]);

impl CookiePolicy {
    /// A policy as the settings have it.
    #[must_use]
    pub fn new(settings: &config::Cookies, access_ttl: Duration, refresh_ttl: Duration) -> Self {
        Self {
            access_name: format!("{}{ACCESS}", settings.prefix),
            refresh_name: format!("{}{REFRESH}", settings.prefix),
            access_ttl,
            refresh_ttl,
            domain: settings.domain.clone(),
            secure: settings.secure,
        }
    }

    /// Both cookies, with these tokens.
    #[must_use]
    pub fn set(&self, access_token: &str, refresh_token: &str) -> SetCookies {
        SetCookies([
            self.write(&self.access_name, access_token, self.access_ttl),
            self.write(&self.refresh_name, refresh_token, self.refresh_ttl),
        ])
    }

    /// Both cookies, gone.
    #[must_use]
    pub fn clear(&self) -> SetCookies {
        SetCookies([
            self.write(&self.access_name, "", Duration::ZERO),
            self.write(&self.refresh_name, "", Duration::ZERO),
        ])
    }

    /// The access token that a request carries.
    #[must_use]
    pub fn read_access<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        read(headers, &self.access_name)
    }

    /// The refresh token that a request carries.
    #[must_use]
    pub fn read_refresh<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        read(headers, &self.refresh_name)
    }

    fn write(&self, name: &str, value: &str, max_age: Duration) -> HeaderValue {
        // Lax: a link from elsewhere arrives signed in, a form or a script from elsewhere does not.
        let mut cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(max_age);
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(domain);
        }
        // Names are settings held to a form and values are base64url with dots: all of it is ASCII.
        HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// The first cookie of a name, which is the one with the longest path (RFC 6265 §5.4), over all `Cookie` headers:
/// HTTP/2 may split them (RFC 9113 §8.2.3).
fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
        .filter(|value| !value.is_empty())
}

impl IntoResponseParts for SetCookies {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        for cookie in self.0 {
            parts.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(prefix: &str, domain: Option<&str>, secure: bool) -> CookiePolicy {
        let settings =
            config::Cookies { prefix: prefix.to_owned(), domain: domain.map(str::to_owned), secure };
        CookiePolicy::new(&settings, Duration::hours(1), Duration::days(30))
    }

    fn check(cookies: &SetCookies, expected: [&str; 2]) {
        assert_eq!(cookies.0.each_ref().map(|cookie| cookie.to_str().unwrap()), expected);
    }

    #[test]
    fn cookies_are_marked_as_the_settings_say() {
        check(
            &policy("", None, false).set("a", "r"),
            [
                "access_token=a; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600",
                "refresh_token=r; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000",
            ],
        );
        check(
            &policy("__Host-", None, true).set("a", "r"),
            [
                "__Host-access_token=a; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600",
                "__Host-refresh_token=r; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000",
            ],
        );
        check(
            &policy("__Secure-", Some("example.com"), true).clear(),
            [
                "__Secure-access_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0",
                "__Secure-refresh_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0",
            ],
        );
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let check = |headers: &[&str], expected: Option<&str>| {
            let mut map = HeaderMap::new();
            for header in headers {
                map.append(COOKIE, HeaderValue::from_str(header).unwrap());
            }
            assert_eq!(policy("", None, true).read_access(&map), expected, "{headers:?}");
        };
        check(&["access_token=a"], Some("a"));
        check(&["x=1; access_token=a; y=2"], Some("a"));
        check(&["x=1", "access_token=a"], Some("a"));
        check(&["access_token=first; access_token=second"], Some("first"));
        check(&["xaccess_token=a; access_tokenx=b; __Host-access_token=c"], None);
        check(&["access_token"], None);
        check(&["access_token="], None);
        check(&[], None);
    }
}
