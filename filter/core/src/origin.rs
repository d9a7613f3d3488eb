//! Origin of a request by the headers of a browser: detection of requests that another site's page may have sent with
//! the user's cookies (cross-site request forgery), and of the origins whose pages may read the response. `gate`
//! decides by them.

use edgeward_wire::Origin;

use crate::request::{Name, Request};

/// Origins besides our own whose pages may send unsafe requests with cookies and read local replies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    allowed: Vec<Origin>,
}

impl Origins {
    /// Returns the set of these origins.
    #[must_use]
    pub fn new(allowed: Vec<Origin>) -> Self {
        Self { allowed }
    }

    /// `true` if the request comes from a page of ours, from a page of an allowed origin, or from no browser.
    ///
    /// Fetch Metadata decides first (W3C, §2.3): no script can set it, and `same-origin` is the browser's own
    /// comparison, which neither a proxy that rewrites the host nor a `Referrer-Policy` that hides `Origin` affects.
    /// Otherwise `Origin` decides (Fetch standard §3.1: every browser sends it with unsafe methods and `WebSocket`
    /// requests). A request with neither header comes from no browser.
    #[must_use]
    pub fn admit(&self, request: &Request<'_>) -> bool {
        let all_sites = |site: &[u8]| request.all(Name::SecFetchSite).all(|this| this == site);
        let may_be_ours = match request.first(Name::SecFetchSite) {
            None => true,
            Some(_) if all_sites(b"same-origin") => return true,
            // The user or an extension caused the request, and no page did.
            Some(_) => all_sites(b"none"),
        };
        let mut origins = request.all(Name::Origin).peekable();
        if origins.peek().is_none() {
            return may_be_ours;
        }
        origins.all(|origin| self.find(origin).is_some() || may_be_ours && is_at(origin, request.authority()))
    }

    /// Returns the allowed origin that the request comes from; `None` if the request has several `Origin` headers.
    #[must_use]
    pub fn allowed(&self, request: &Request<'_>) -> Option<&Origin> {
        if request.repeats(Name::Origin) { None } else { self.find(request.first(Name::Origin)?) }
    }

    /// Returns the allowed origin that is equal to `origin`, in any spelling.
    fn find(&self, origin: &[u8]) -> Option<&Origin> {
        let as_sent = self.allowed.iter().find(|allowed| allowed.as_str().as_bytes() == origin);
        as_sent.or_else(|| {
            let origin = read(origin)?;
            self.allowed.iter().find(|allowed| **allowed == origin)
        })
    }
}

/// Parses the value of an `Origin` header (RFC 6454 §7).
fn read(origin: &[u8]) -> Option<Origin> {
    std::str::from_utf8(origin).ok()?.parse().ok()
}

/// `true` if an origin has this authority, in any spelling of both. The scheme is not compared: behind a load balancer
/// that ends TLS, the gateway does not know its own scheme. The browser does, and its `same-origin` includes the
/// scheme.
fn is_at(origin: &[u8], authority: &[u8]) -> bool {
    let Some(origin) = read(origin).filter(Origin::is_web) else { return false };
    let own = [origin.scheme().as_bytes(), b"://", authority].concat();
    read(&own).is_some_and(|own| own == origin)
}

/// `true` if a request may change something: its method is unsafe (RFC 9110 §9.2.1), or it opens a `WebSocket`, which
/// CORS does not protect.
#[must_use]
pub fn is_unsafe(request: &Request<'_>) -> bool {
    !matches!(request.method(), b"GET" | b"HEAD" | b"OPTIONS") || request.is_upgrade()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let allowed = ["https://app.example", "http://localhost:5173", "capacitor://localhost"];
        Origins::new(allowed.iter().map(|origin| origin.parse().unwrap()).collect())
    }

    fn with_request<T>(lines: &[(&str, &str)], read: impl FnOnce(&Request<'_>) -> T) -> T {
        let fields = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        read(&Request::new(fields, true))
    }

    fn check(lines: &[(&str, &str)], expected: bool) {
        let admitted = with_request(lines, |request| origins().admit(request));
        assert_eq!(admitted, expected, "{lines:?}");
    }

    const US: (&str, &str) = (":authority", "shop.example:8443");

    // holds: promise 5
    #[test]
    fn origin_decides_without_fetch_metadata() {
        check(&[US], true);
        for (origin, expected) in [
            ("https://shop.example:8443", true),
            ("http://shop.example:8443", true),
            ("https://SHOP.example:8443", true),
            ("https://shop.example:8443/", true),
            ("https://app.example", true),
            ("https://app.example:443", true),
            ("http://localhost:5173", true),
            ("capacitor://localhost", true),
            ("capacitor://shop.example:8443", false),
            ("http://app.example", false),
            ("https://app.example:444", false),
            ("https://app.example.evil", false),
            ("https://evil.example", false),
            ("https://shop.example", false),
            ("shop.example:8443", false),
            ("https://shop.example:8443/x", false),
            ("https://", false),
            ("null", false),
            ("", false),
        ] {
            check(&[US, ("origin", origin)], expected);
        }
        check(&[US, ("origin", "https://app.example"), ("origin", "https://evil.example")], false);
        check(&[("origin", "https://")], false);
    }

    #[test]
    fn every_spelling_of_one_host_and_port_is_the_same_origin() {
        for (authority, origin, expected) in [
            ("shop.example", "https://shop.example", true),
            ("shop.example.", "https://shop.example.", true),
            ("shop.example", "https://shop.example.", false),
            ("shop.example:443", "https://shop.example", true),
            ("shop.example:80", "http://shop.example", true),
            ("SHOP.example", "https://shop.example:443", true),
            ("[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080", true),
            ("shop.example:80", "https://shop.example", false),
            ("shop.example:443", "http://shop.example", false),
            ("shop.example@evil.example", "https://evil.example", false),
            ("", "https://shop.example", false),
        ] {
            check(&[(":authority", authority), ("origin", origin)], expected);
        }
    }

    // holds: promise 5
    #[test]
    fn fetch_metadata_decides_before_the_origin() {
        for (site, origin, expected) in [
            ("same-origin", None, true),
            // `Referrer-Policy: no-referrer` on the page.
            ("same-origin", Some("null"), true),
            // A proxy in front of us has changed the host.
            ("same-origin", Some("https://shop.test"), true),
            ("none", None, true),
            ("none", Some("https://shop.example:8443"), true),
            ("none", Some("null"), false),
            ("none", Some("chrome-extension://abc"), false),
            ("same-site", None, false),
            ("same-site", Some("null"), false),
            ("same-site", Some("https://shop.example:8443"), false),
            ("cross-site", None, false),
            ("cross-site", Some("null"), false),
            ("cross-site", Some("http://shop.example:8443"), false),
            ("cross-site", Some("https://app.example"), true),
            ("cross-site", Some("https://evil.example"), false),
            ("", None, false),
            ("same-origin ", None, false),
        ] {
            let mut lines = vec![US, ("sec-fetch-site", site)];
            lines.extend(origin.map(|origin| ("origin", origin)));
            check(&lines, expected);
        }
        check(&[US, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false);
        check(&[US, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")], true);
    }

    #[test]
    fn response_is_readable_for_the_one_allowed_origin_of_the_request() {
        let check = |lines: &[(&str, &str)], expected: Option<&str>| {
            let found = with_request(lines, |request| origins().allowed(request).cloned());
            assert_eq!(found.as_ref().map(Origin::as_str), expected, "{lines:?}");
        };
        check(&[("origin", "https://app.example")], Some("https://app.example"));
        check(&[("origin", "capacitor://localhost")], Some("capacitor://localhost"));
        check(&[("origin", "https://APP.example")], Some("https://app.example"));
        check(&[("origin", "https://evil.example")], None);
        check(&[("origin", "null")], None);
        check(&[], None);
        check(&[("origin", "https://app.example"), ("origin", "https://app.example")], None);
    }
}
