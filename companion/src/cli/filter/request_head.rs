//! Head of a request to explain or to test, as the gateway would hand it to the filter.

use edgeward_filter::cookie;
use edgeward_filter::edge_state::EdgeState;
use edgeward_filter::explain::{Explanation, explain};
use edgeward_filter::policy::{Cookies, Policy};
use edgeward_filter::request::{Field, Request};

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

    /// Sets a cookie, in place of those of its name.
    pub(super) fn set_cookie(&mut self, name: &str, value: &str) {
        self.remove_cookie(name);
        let cookie = format!("{name}={value}");
        match self.headers.iter_mut().rfind(|(name, _)| name == "cookie") {
            Some((_, cookies)) => *cookies = format!("{cookies}; {cookie}"),
            None => self.push("cookie", &cookie),
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

    /// Returns the header fields, pseudo-header fields first.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let pseudo = [(":method", &self.method), (":path", &self.target), (":authority", &self.authority)];
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value));
        pseudo.into_iter().chain(headers).map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }

    /// Returns the request as the core takes it.
    pub(super) fn request(&self) -> Request<'_> {
        Request::new(self.fields(), !self.has_body)
    }

    /// Explains the core's decision on the request at `now`, in seconds since 1970.
    pub(super) fn explain<'p>(&self, policy: &'p Policy, state: &EdgeState, now: u64) -> Explanation<'p> {
        explain(policy, state, &self.request(), now)
    }
}
