//! Local replies. They say what to do, and never why (invariant 7).

use edgeward_wire::authentication::{ACR_VALUES, MAX_AGE};
use edgeward_wire::{error_code, return_to};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::claims::Identity;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::rules::StepUp;

/// Seconds for which a client should wait after a 503: about one poll of the edge feed.
const RETRY_AFTER_S: &str = "1";

/// All but the unreserved characters (RFC 3986 §2.3), and `/`, which needs no escape in a query (§3.4).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Response of the filter itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// Status code.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: String,
    /// Word for Envoy's response code details: `ready`, or the label of a rejection.
    pub label: &'static str,
    /// Rejection of the request, which is counted. The readiness of the filter is none.
    pub rejection: Option<Rejection>,
    /// User and session, if known, for the access log.
    pub identity: Option<Identity>,
    /// `true` if the edge feed may have news that let the client's next request pass.
    pub poll_early: bool,
}

impl LocalReply {
    /// Replies with the readiness of the filter.
    #[must_use]
    pub fn readiness(readiness: Result<(), Rejection>) -> Self {
        let mut headers = vec![("content-type", "text/plain".to_owned()), no_store()];
        let (status, body) = match readiness {
            Ok(()) => (200, "ready\n"),
            Err(rejection) => {
                headers.push(("retry-after", RETRY_AFTER_S.to_owned()));
                (rejection.status(), "not ready\n")
            }
        };
        let label = readiness.map_or_else(Rejection::label, |()| "ready");
        Self { status, label, headers, body: body.to_owned(), ..Self::empty(None) }
    }

    /// Rejects a request. Without a policy, the plugin is not configured.
    #[must_use]
    pub fn reject(policy: Option<&Policy>, rejection: Rejection) -> Self {
        let status = rejection.status();
        let (kind, code, message) = match status {
            400 => ("bad_request", "bad_request", "The request can't be processed"),
            401 if rejection.calls_for_proof() => {
                ("unauthorized", error_code::INSUFFICIENT_USER_AUTHENTICATION, "Please confirm who you are")
            }
            401 => ("unauthorized", error_code::NOT_SIGNED_IN, "Not signed in"),
            403 => ("forbidden", error_code::NOT_ALLOWED, "Not allowed"),
            429 => (
                "too_many_attempts",
                error_code::TOO_MANY_ATTEMPTS,
                "Too many attempts, please try again later",
            ),
            _ => ("unavailable", "unavailable", "Not available right now"),
        };
        let body = format!(
            r#"{{"message":"{message}","errors":[{{"type":"{kind}","msg":"{message}","path":"","location":"","code":"{code}"}}]}}"#
        );
        let mut headers = vec![("content-type", "application/json".to_owned()), no_store()];
        if let Rejection::NetworkBanned { until, now, .. } = rejection {
            let wait_s = until.saturating_sub(now);
            headers.push(("retry-after", wait_s.to_string()));
            // As the companion's (draft-ietf-httpapi-ratelimit-headers).
            headers.push(("ratelimit", format!("\"attempts\";r=0;t={wait_s}")));
        }
        match (status, policy) {
            // RFC 9110 §15.5.2 requires a challenge, and no registered scheme is for cookies.
            (401, Some(policy)) => headers.push((
                "www-authenticate",
                format!("Cookie realm=\"edgeward\", cookie-name=\"{}\"", policy.cookies.access),
            )),
            (503, _) => headers.push(("retry-after", RETRY_AFTER_S.to_owned())),
            _ => {}
        }
        Self { status, headers, body, ..Self::empty(Some(rejection)) }
    }

    /// Redirects a navigation to the login page, or else rejects the request.
    #[must_use]
    pub fn login_redirect_or_rejection(policy: &Policy, request: &Request<'_>, rejection: Rejection) -> Self {
        let may_log_in = rejection.status() == 401 || rejection == Rejection::RefreshUnavailable;
        match &policy.login_url {
            Some(login_url) if may_log_in && request.is_navigation() => Self {
                // 302 rather than 303: most are GETs, and both become one (RFC 9110 §15.4.3).
                status: 302,
                headers: vec![("location", location(login_url, request.target())), no_store()],
                ..Self::empty(Some(rejection))
            },
            _ => Self::reject(Some(policy), rejection),
        }
    }

    /// Rejects a signed-in user whom a rule does not admit. If a fresh proof would change that, a navigation is redirected to
    /// the login page, which asks for it, and another request is challenged (RFC 9470 §3). Both say what the rule demands, and
    /// nothing of the token.
    #[cold]
    #[must_use]
    pub fn insufficient(
        policy: &Policy,
        request: &Request<'_>,
        rejection: Rejection,
        demand: &StepUp,
    ) -> Self {
        if !rejection.calls_for_proof() {
            return Self::reject(Some(policy), rejection);
        }
        let max_age = demand.max_age_s.map(|seconds| (MAX_AGE, seconds.to_string()));
        let methods = (!demand.methods.is_empty()).then(|| (ACR_VALUES, demand.methods.join(" ")));
        let demands: Vec<(&str, String)> = max_age.into_iter().chain(methods).collect();
        let reply = Self::login_redirect_or_rejection(policy, request, rejection);
        let headers = reply.headers.into_iter().map(|(name, value)| match name {
            "location" => (name, with_query(value, &demands)),
            "www-authenticate" => (name, challenge(&demands)),
            _ => (name, value),
        });
        Self { headers: headers.collect(), ..reply }
    }

    fn empty(rejection: Option<Rejection>) -> Self {
        Self {
            status: 200,
            label: rejection.map_or("", Rejection::label),
            headers: Vec::new(),
            body: String::new(),
            rejection,
            identity: None,
            poll_early: false,
        }
    }

    /// Returns Envoy's response code details.
    #[must_use]
    pub fn details(&self) -> String {
        format!("edgeward_{}", self.label)
    }
}

fn no_store() -> (&'static str, String) {
    ("cache-control", "no-store".to_owned())
}

/// Returns the login page's URL, with `target` as `return_to` if it has at most [`return_to::MAX_BYTES`].
fn location(login_url: &str, target: &[u8]) -> String {
    if target.len() > return_to::MAX_BYTES {
        return login_url.to_owned();
    }
    format!("{login_url}?{}={}", return_to::PARAMETER, percent_encode(target, ESCAPED))
}

/// Appends parameters to a URL that has a query, or none. Their values are words and spaces.
fn with_query(url: String, parameters: &[(&str, String)]) -> String {
    parameters.iter().fold(url, |url, (name, value)| {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}{name}={}", percent_encode(value.as_bytes(), ESCAPED))
    })
}

/// Challenge that a fresh proof meets (RFC 9470 §3).
fn challenge(demands: &[(&str, String)]) -> String {
    let error = format!("Bearer error=\"{}\"", error_code::INSUFFICIENT_USER_AUTHENTICATION);
    demands.iter().fold(error, |text, (name, value)| format!("{text}, {name}=\"{value}\""))
}
