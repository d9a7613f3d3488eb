//! Where a request comes from, as far as a browser tells: whether another site's page could have sent it
//! with the user's cookies (cross-site request forgery). What follows from that is the gate's to say.

use crate::gate::Request;

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
    pub fn admit(&self, request: Request<'_>) -> bool {
        let mut origins = request.all(b"origin").peekable();
        if origins.peek().is_some() {
            return origins.all(|origin| self.is_ours(origin, request.authority()));
        }
        request.all(b"sec-fetch-site").all(|site| site == b"same-origin" || site == b"none")
    }

    /// Our own origin has the authority that was asked for. Its scheme is not compared: behind a load
    /// balancer that ends TLS, the gateway does not know its own.
    fn is_ours(&self, origin: &[u8], authority: &[u8]) -> bool {
        let host = origin.strip_prefix(b"https://").or(origin.strip_prefix(b"http://"));
        host.is_some_and(|host| !host.is_empty() && host.eq_ignore_ascii_case(authority))
            || self.allowed.iter().any(|allowed| allowed.as_bytes() == origin)
    }
}

/// Whether a request may change something: by its method (RFC 9110 §9.2.1), or as the start of a WebSocket,
/// which no CORS guards.
#[must_use]
pub fn is_unsafe(request: Request<'_>) -> bool {
    !matches!(request.method(), b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE")
        || request.all(b"upgrade").next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[(&str, &str)], expected: bool) {
        let headers: Vec<(&[u8], &[u8])> =
            lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let origins = Origins::new(vec!["https://app.example".into(), "http://localhost:5173".into()]);
        assert_eq!(origins.admit(Request { headers: &headers }), expected, "{lines:?}");
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
        check(&[("origin", "https://")], false);
        for (site, expected) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false)]
        {
            check(&[US, ("sec-fetch-site", site)], expected);
        }
    }
}
