//! CORS (Fetch standard §3.2) for responses without CORS headers of an upstream: local replies of the gateway, and
//! responses to preflights that the upstream leaves bare. An upstream's own CORS headers stay.

use edgeward_wire::Origin;

use crate::policy::Policy;
use crate::request::{Field, Name, Request};

/// Response headers that pages of other origins may read besides the safelisted ones (Fetch standard §2.2.2).
const EXPOSED: &str = "ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id";
/// Time for which a browser may cache the response to a preflight, in seconds. Chosen: Chromium caches none for longer
/// than two hours, and a changed configuration should apply within minutes.
const MAX_AGE_S: &str = "600";

/// Maximum length of the header names that a preflight asks for, in bytes. Chosen: browsers ask for a few hundred.
const MAX_NAMES_BYTES: usize = 4096;

/// Envoy's `response.code_details` of a response from the upstream.
const VIA_UPSTREAM: &[u8] = b"via_upstream";

/// Header of a response: its name in lower case, and its value.
pub type Header = (&'static str, Vec<u8>);

/// Parts of a request from a page of an allowed origin that the CORS headers of its response depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossOrigin {
    origin: Origin,
    /// Method and header names that a preflight asks for; `None` for other requests.
    preflight: Option<(Vec<u8>, Vec<u8>)>,
}

impl CrossOrigin {
    /// Reads a request. Returns `None` if it does not come from an allowed origin, or from a page of its own origin, which
    /// may read every response.
    #[must_use]
    pub fn read(policy: &Policy, request: &Request<'_>) -> Option<Self> {
        if request.first(Name::SecFetchSite) == Some(b"same-origin") {
            return None;
        }
        let origin = policy.origins.allowed(request)?.clone();
        let method = request.first(Name::AccessControlRequestMethod).unwrap_or_default();
        let names = request.first(Name::AccessControlRequestHeaders).unwrap_or_default();
        let is_preflight = request.is_preflight() && names.len() <= MAX_NAMES_BYTES;
        Some(Self { origin, preflight: is_preflight.then(|| (method.to_vec(), names.to_vec())) })
    }

    /// `true` if the request is a preflight, whose response also needs an OK status (Fetch standard §4.8).
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    /// `true` if a response lacks CORS headers that are ours to add: any response to a preflight, and others that the
    /// gateway itself made. `code_details` is Envoy's `response.code_details`; without it, the upstream is assumed.
    pub fn is_missing_from<'a>(
        &self,
        fields: impl IntoIterator<Item = Field<'a>>,
        code_details: impl FnOnce() -> Option<Vec<u8>>,
    ) -> bool {
        let mut names = fields.into_iter().map(|(name, _)| name);
        !names.any(|name| name.starts_with(b"access-control-"))
            && (self.is_preflight() || code_details().is_some_and(|details| details != VIA_UPSTREAM))
    }

    /// Returns the headers that make the response readable, or that allow the request that a preflight asks for.
    #[must_use]
    pub fn headers(&self) -> Vec<Header> {
        let mut headers = vec![
            ("access-control-allow-origin", self.origin.as_str().into()),
            ("access-control-allow-credentials", b"true".to_vec()),
            ("vary", b"origin".to_vec()),
        ];
        let Some((method, names)) = &self.preflight else {
            headers.push(("access-control-expose-headers", EXPOSED.into()));
            return headers;
        };
        headers.push(("access-control-allow-methods", method.clone()));
        if !names.is_empty() {
            headers.push(("access-control-allow-headers", names.clone()));
        }
        headers.push(("access-control-max-age", MAX_AGE_S.into()));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn check(lines: &[(&str, &str)], expected: Option<&[&str]>) {
        let text =
            br#"{"issuer": "i", "feed": {"cluster": "c"}, "allowed_origins": ["https://app.example"]}"#;
        let policy = config::compile(text).unwrap().policy;
        let lines = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let request = Request::new(lines, true);
        let headers = CrossOrigin::read(&policy, &request).map(|request| request.headers());
        let headers = headers.map(|headers| {
            let line = |(name, value): Header| format!("{name}: {}", value.escape_ascii());
            headers.into_iter().map(line).collect::<Vec<_>>()
        });
        let expected = expected.map(|lines| lines.iter().map(|&line| line.to_owned()).collect());
        assert_eq!(headers, expected);
    }

    const FROM_APP: (&str, &str) = ("origin", "https://app.example");
    const READABLE: [&str; 4] = [
        "access-control-allow-origin: https://app.example",
        "access-control-allow-credentials: true",
        "vary: origin",
        "access-control-expose-headers: ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id",
    ];

    #[test]
    fn reply_is_readable_only_for_pages_of_an_allowed_origin() {
        check(&[(":method", "GET"), FROM_APP], Some(&READABLE));
        check(&[(":method", "GET"), ("origin", "https://evil.example")], None);
        check(&[(":method", "GET"), ("origin", "null")], None);
        check(&[(":method", "GET")], None);
        for (site, readable) in
            [("cross-site", Some(&READABLE[..])), ("same-site", Some(&READABLE)), ("same-origin", None)]
        {
            check(&[(":method", "GET"), FROM_APP, ("sec-fetch-site", site)], readable);
        }
    }

    #[test]
    fn preflight_of_an_allowed_origin_is_allowed_its_method_and_headers() {
        let preflight = [(":method", "OPTIONS"), FROM_APP, ("access-control-request-method", "PUT")];
        let allowed = [
            "access-control-allow-origin: https://app.example",
            "access-control-allow-credentials: true",
            "vary: origin",
            "access-control-allow-methods: PUT",
            "access-control-max-age: 600",
        ];
        check(&preflight, Some(&allowed));
        let with_headers = [&preflight[..], &[("access-control-request-headers", "baggage,x-a")]].concat();
        let mut more = allowed.to_vec();
        more.insert(4, "access-control-allow-headers: baggage,x-a");
        check(&with_headers, Some(&more));
        let many = "a".repeat(MAX_NAMES_BYTES + 1);
        let with_many = [&preflight[..], &[("access-control-request-headers", many.as_str())]].concat();
        check(&with_many, Some(&READABLE));
    }
}
