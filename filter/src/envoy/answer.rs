//! The answers that the filter gives itself. They say what to do, and never why (invariant 7).

use super::host;
use crate::policy::Policy;
use crate::rejection::Rejection;

/// How long a client should wait while no key is known: about one poll of the feed.
const RETRY_AFTER_S: &str = "1";

/// Sends a browser to log in.
pub(super) fn redirect(location: &str, rejection: Rejection) -> bool {
    // 302 rather than 303: what is sent away is nearly always a GET, and both become one (RFC 9110 §15.4.3).
    respond(302, rejection, &[("location", location), ("cache-control", "no-store")], "")
}

/// Refuses a request.
pub(super) fn refuse(policy: Option<&Policy>, rejection: Rejection) -> bool {
    let (kind, message) = match rejection.status() {
        400 => ("bad_request", "The request can't be processed"),
        401 => ("unauthorized", "Not signed in"),
        403 => ("forbidden", "Not allowed"),
        _ => ("unavailable", "Not available right now"),
    };
    let body = format!(
        r#"{{"message":"{message}","errors":[{{"type":"{kind}","msg":"{message}","path":"","location":""}}]}}"#
    );
    let mut headers = vec![("content-type", "application/json"), ("cache-control", "no-store")];
    // RFC 9110 §15.5.2 asks for a challenge, and no registered scheme is for cookies.
    let challenge =
        policy.map(|policy| format!("Cookie realm=\"edgeward\", cookie-name=\"{}\"", policy.cookies.access));
    match (rejection.status(), &challenge) {
        (401, Some(challenge)) => headers.push(("www-authenticate", challenge)),
        (503, _) => headers.push(("retry-after", RETRY_AFTER_S)),
        _ => {}
    }
    respond(rejection.status(), rejection, &headers, &body)
}

fn respond(status: u16, rejection: Rejection, headers: &[(&str, &str)], body: &str) -> bool {
    let details = format!("edgeward_{}", rejection.label());
    host::respond(status, &details, headers, body.as_bytes())
}
