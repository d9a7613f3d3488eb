//! Where a request comes from, as far as a browser tells: whether another site's page could have sent it
//! with the user's cookies (cross-site request forgery). What follows from that is the gate's to say.

use crate::head::{Name, Request};

/// The origins besides our own whose pages may send unsafe requests with cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    /// Takes origins as browsers write them (RFC 6454 §6.2): scheme, host and port, no path, lower case.
    #[must_use]
    pub fn new(allowed: Vec<String>) -> Self {
        Self { allowed }
    }

    /// Whether a page of ours, of an allowed origin, or no browser at all has sent the request.
    ///
    /// `Origin` decides where there is one (Fetch standard §3.1: every browser sends it with unsafe
    /// methods and `WebSocket` requests), else `Sec-Fetch-Site` (W3C Fetch Metadata §2.3). Neither means no browser.
    #[must_use]
    pub fn admit(&self, request: &Request<'_>) -> bool {
        let site_is = |names: &[&[u8]]| request.all(Name::SecFetchSite).all(|site| names.contains(&site));
        let mut origins = request.all(Name::Origin).peekable();
        if origins.peek().is_none() {
            return site_is(&[b"same-origin", b"none"]);
        }
        origins.all(|origin| {
            self.allowed.iter().any(|allowed| allowed.as_bytes() == origin)
                || is_at(origin, request.authority()) && site_is(&[b"same-origin"])
        })
    }
}

/// Whether it is an origin as browsers write it (RFC 6454 §6.2): scheme, host, and a port unless it is the
/// scheme's own; in lower case, without a path.
#[must_use]
pub fn is_origin(text: &str) -> bool {
    let (authority, own_port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(authority), _) => (authority, "443"),
        (_, Some(authority)) => (authority, "80"),
        _ => return false,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_name = |host: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        host.split('.').all(|label| !label.is_empty() && label.bytes().all(plain) && !label.starts_with('-'))
    };
    let is_v6 = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
    };
    let is_port =
        |port: &str| port != own_port && !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok();
    (is_name(host) || is_v6(host)) && port.is_none_or(is_port)
}

/// Whether an origin has this authority. The scheme is not compared, for behind a load balancer that ends TLS
/// the gateway does not know its own; the browser does, and says `same-origin` only where it is the same.
fn is_at(origin: &[u8], authority: &[u8]) -> bool {
    let host = origin.strip_prefix(b"https://").or(origin.strip_prefix(b"http://"));
    host.is_some_and(|host| !host.is_empty() && host.eq_ignore_ascii_case(authority))
}

/// Whether a request may change something: by its method (RFC 9110 §9.2.1), or as the start of a WebSocket,
/// which no CORS guards.
#[must_use]
pub fn is_unsafe(request: &Request<'_>) -> bool {
    !matches!(request.method(), b"GET" | b"HEAD" | b"OPTIONS") || request.is_upgrade()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::{self, Header, Headers};

    fn check(lines: &[(&str, &str)], expected: bool) {
        let headers: Vec<Header<'_>> =
            lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let headers = headers::write(&headers);
        let origins = Origins::new(vec!["https://app.example".into(), "http://localhost:5173".into()]);
        assert_eq!(
            origins.admit(&Request::new(Headers::read(&headers).unwrap(), true)),
            expected,
            "{lines:?}"
        );
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, expected) in [
            ("https://app.example", true),
            ("http://localhost:5173", true),
            ("http://[::1]:5173", true),
            ("http://[::1]", true),
            ("https://127.0.0.1:8443", true),
            ("", false),
            ("*", false),
            ("null", false),
            ("https://", false),
            ("https://-", false),
            ("https://a..b", false),
            ("https://App.example", false),
            ("https://app.example/", false),
            ("https://app.example:443", false),
            ("http://app.example:80", false),
            ("http://app.example:", false),
            ("http://app.example:065", false),
            ("http://app.example:65536", false),
            ("http://a:b:c", false),
            ("ftp://app.example", false),
            ("https://u@app.example", false),
            ("http://[::1", false),
        ] {
            assert_eq!(is_origin(text), expected, "{text}");
        }
    }

    #[test]
    fn a_request_comes_from_us_from_an_allowed_origin_or_from_no_browser() {
        const US: (&str, &str) = (":authority", "shop.example:8443");
        check(&[US], true);
        for (origin, expected) in [
            ("https://shop.example:8443", true),
            ("http://shop.example:8443", true),
            ("https://SHOP.example:8443", true),
            ("https://app.example", true),
            ("http://localhost:5173", true),
            ("http://app.example", false),
            ("https://app.example:444", false),
            ("https://app.example.evil", false),
            ("https://evil.example", false),
            ("https://shop.example", false),
            ("shop.example:8443", false),
            ("https://shop.example:8443/", false),
            ("https://", false),
            ("null", false),
            ("", false),
        ] {
            check(&[US, ("origin", origin)], expected);
        }
        check(&[US, ("origin", "https://app.example"), ("sec-fetch-site", "cross-site")], true);
        check(&[US, ("origin", "https://app.example"), ("origin", "https://evil.example")], false);
        check(&[US, ("origin", "https://shop.example:8443"), ("sec-fetch-site", "same-origin")], true);
        check(&[US, ("origin", "http://shop.example:8443"), ("sec-fetch-site", "cross-site")], false);
        check(&[("origin", "https://")], false);
        for (site, expected) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false)]
        {
            check(&[US, ("sec-fetch-site", site)], expected);
        }
    }
}
