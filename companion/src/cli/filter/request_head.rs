//! Head of a request to explain or to test, as the gateway would hand it to the filter.

use edgeward_filter::cookie;
use edgeward_filter::headers::{self, Headers};
use edgeward_filter::policy::Cookies;
use edgeward_filter::request::Request;

/// Authority of a request that names none.
const AUTHORITY: &str = "gateway.example";

/// Head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) authority: String,
    /// Header fields in their order, with names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) has_body: bool,
}

impl RequestHead {
    pub(super) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            authority: AUTHORITY.to_owned(),
            headers: Vec::new(),
            has_body: false,
        }
    }

    /// Appends a header field. `Host` is the authority, as Envoy has it.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        if name == "host" {
            self.authority = value;
        } else {
            self.headers.push((name, value));
        }
    }

    /// Removes the cookies of this name.
    pub(super) fn remove_cookie(&mut self, name: &str) {
        let mut left = Vec::new();
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| name == "cookie") {
            if let Some(left) = cookie::without(value.as_bytes(), &[name], &mut left) {
                *value = String::from_utf8_lossy(left).into_owned();
            }
        }
        self.headers.retain(|(name, value)| name != "cookie" || !value.is_empty());
    }

    /// Value of the access token's cookie, if there is exactly one.
    pub(super) fn access_token(&self, cookies: &Cookies) -> Option<&[u8]> {
        let values =
            self.headers.iter().filter(|(name, _)| name == "cookie").map(|(_, value)| value.as_bytes());
        cookie::find(values, &cookies.access).ok().flatten()
    }

    /// Calls `read` with the request as the core takes it.
    pub(super) fn with_request<T>(&self, read: impl FnOnce(&Request<'_>) -> T) -> T {
        let pseudo = [(":method", &self.method), (":path", &self.target), (":authority", &self.authority)];
        let pseudo = pseudo.into_iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let fields = self.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let map = headers::write(&pseudo.chain(fields).collect::<Vec<_>>());
        // What was written is read.
        read(&Request::new(Headers::read(&map).unwrap_or_default(), !self.has_body))
    }
}
