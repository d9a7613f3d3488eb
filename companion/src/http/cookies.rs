//! Policy of the cookies: names, attributes, lifetimes. Their values are opaque here.

use ::cookie::{Cookie, SameSite};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use edgeward_wire::cookie::{self, ACCESS, DEVICE, REFRESH, Repeated};
use time::Duration;

use crate::config;
use crate::domain::token::device_token;
use crate::service::IssuedTokens;

/// Names and attributes of the cookies.
#[derive(Clone)]
pub struct CookiePolicy {
    access_name: String,
    refresh_name: String,
    device_name: &'static str,
    access_ttl: Duration,
    refresh_ttl: Duration,
    domain: Option<String>,
    same_site: SameSite,
    secure: bool,
}

/// Values of the `Set-Cookie` header fields of a response.
pub struct SetCookies(Vec<HeaderValue>);

impl CookiePolicy {
    /// Makes a policy from the settings and the lifetimes of the tokens.
    ///
    /// A device token that another host has set is of an unknown device, so its cookie loses nothing by having no `__Host-`.
    #[must_use]
    pub fn new(settings: &config::Cookies, access_ttl: Duration, refresh_ttl: Duration) -> Self {
        let [plain, prefixed] = DEVICE;
        Self {
            device_name: if settings.prefix.is_empty() { plain } else { prefixed },
            access_name: format!("{}{ACCESS}", settings.prefix),
            refresh_name: format!("{}{REFRESH}", settings.prefix),
            access_ttl,
            refresh_ttl,
            domain: settings.domain.clone(),
            same_site: settings.same_site,
            secure: settings.secure,
        }
    }

    /// Sets the cookies to these tokens.
    #[must_use]
    pub fn set(&self, tokens: &IssuedTokens) -> SetCookies {
        let device =
            tokens.device.as_ref().map(|token| self.write(self.device_name, token, device_token::LIFETIME));
        let fields = [
            self.write(&self.access_name, &tokens.access, self.access_ttl),
            self.write(&self.refresh_name, &tokens.refresh, self.refresh_ttl),
        ];
        SetCookies(fields.into_iter().chain(device).collect())
    }

    /// Sets the cookie of the access token alone.
    #[must_use]
    pub fn set_access(&self, token: &str) -> SetCookies {
        SetCookies(vec![self.write(&self.access_name, token, self.access_ttl)])
    }

    /// Deletes the cookies of the session; the device stays known. Only for responses to a logout and to the end of the client's
    /// own session, which ask for it. A rejection never deletes cookies, because another tab may have received new ones
    /// meanwhile, nor does a failure of the service (5xx).
    #[must_use]
    pub fn clear(&self) -> SetCookies {
        SetCookies(vec![
            self.write(&self.access_name, "", Duration::ZERO),
            self.write(&self.refresh_name, "", Duration::ZERO),
        ])
    }

    /// Reads the access token of a request.
    ///
    /// # Errors
    /// [`Repeated`] if there are several cookies of the name, with different values.
    pub fn read_access<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Repeated> {
        read(headers, &self.access_name)
    }

    /// Reads the refresh token of a request.
    ///
    /// # Errors
    /// [`Repeated`] if there are several cookies of the name, with different values.
    pub fn read_refresh<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Repeated> {
        read(headers, &self.refresh_name)
    }

    /// Reads every access token of a request, for a logout.
    pub fn read_every_access<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        read_every(headers, &self.access_name)
    }

    /// Reads every refresh token of a request, for a logout.
    pub fn read_every_refresh<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        read_every(headers, &self.refresh_name)
    }

    /// Returns the name of the cookie with the access token.
    #[must_use]
    pub fn access_name(&self) -> &str {
        &self.access_name
    }

    /// Returns the name of the cookie with the refresh token.
    #[must_use]
    pub fn refresh_name(&self) -> &str {
        &self.refresh_name
    }

    /// Reads every device token of a request: a sibling subdomain may have planted one more, and browsers may have one for
    /// `/api/auth` alone, as they once were set.
    pub fn read_every_device<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        read_every(headers, self.device_name)
    }

    fn write(&self, name: &str, value: &str, max_age: Duration) -> HeaderValue {
        let mut cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(self.same_site)
            .secure(self.secure)
            .max_age(max_age);
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(domain);
        }
        // Always valid: the settings restrict names to ASCII, and values are base64url with dots.
        HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// Reads a cookie's value from all `Cookie` header fields, which HTTP/2 may split (RFC 9113 §8.2.3). Values that are
/// empty or not UTF-8 are no tokens.
fn read<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Repeated> {
    let value = cookie::find(headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes), name)?;
    Ok(value.and_then(|value| str::from_utf8(value).ok()).filter(|value| !value.is_empty()))
}

/// Reads the values of all cookies of a name. A logout ends the sessions of all of them, so that another page of the
/// site cannot keep a session alive by setting a second cookie. The limit on header fields limits their number.
/// Reads every cookie of a name.
pub(super) fn read_every<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| cookie::pairs(header.as_bytes()))
        .filter_map(move |pair| cookie::value(pair, name))
        .filter_map(|value| str::from_utf8(value).ok())
}

impl SetCookies {
    /// Returns the values, for a response that another program sends.
    pub fn into_values(self) -> Vec<String> {
        self.0.iter().filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
    }
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
    use crate::domain::token::access_token::TokenSubject;
    use crate::domain::{SessionId, UserId};

    fn policy(prefix: &str, domain: Option<&str>, secure: bool) -> CookiePolicy {
        let (prefix, domain) = (prefix.to_owned(), domain.map(str::to_owned));
        let settings = config::Cookies { prefix, domain, same_site: SameSite::Lax, secure };
        CookiePolicy::new(&settings, Duration::hours(1), Duration::days(30))
    }

    fn issued() -> IssuedTokens {
        let subject = TokenSubject { user_id: UserId(1), session_id: SessionId(1), issued_at: 0 };
        IssuedTokens {
            subject,
            access: "a".to_owned(),
            refresh: "r".to_owned(),
            device: Some("d".to_owned()),
        }
    }

    fn check(cookies: &SetCookies, expected: &[&str]) {
        let values: Vec<_> = cookies.0.iter().map(|cookie| cookie.to_str().unwrap()).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn cookies_have_the_attributes_of_the_settings() {
        check(
            &policy("", None, false).set(&issued()),
            &[
                "access_token=a; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600",
                "refresh_token=r; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000",
                "device_token=d; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000",
            ],
        );
        check(
            &policy("__Host-", None, true).set(&issued()),
            &[
                "__Host-access_token=a; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600",
                "__Host-refresh_token=r; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000",
                "__Secure-device_token=d; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000",
            ],
        );
        check(
            &policy("__Secure-", Some("example.com"), true).clear(),
            &[
                "__Secure-access_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0",
                "__Secure-refresh_token=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0",
            ],
        );
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let check = |headers: &[&str], expected: Result<Option<&str>, Repeated>| {
            let mut map = HeaderMap::new();
            for header in headers {
                map.append(COOKIE, HeaderValue::from_bytes(header.as_bytes()).unwrap());
            }
            assert_eq!(policy("", None, true).read_access(&map), expected, "{headers:?}");
        };
        check(&["access_token=a"], Ok(Some("a")));
        check(&["x=1; access_token=a; y=2"], Ok(Some("a")));
        check(&["x=1", "access_token=a"], Ok(Some("a")));
        check(&["x=é; access_token=a", "y=é"], Ok(Some("a")));
        check(&["access_token=a; access_token=a"], Ok(Some("a")));
        check(&["access_token=a; access_token=b"], Err(Repeated));
        check(&["access_token=", "access_token=b"], Err(Repeated));
        check(&["xaccess_token=a; access_tokenx=b; __Host-access_token=c"], Ok(None));
        check(&["access_token"], Ok(None));
        check(&["access_token="], Ok(None));
        check(&[], Ok(None));
    }
}
