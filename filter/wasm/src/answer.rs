//! The answers that the filter gives itself. They say what to do, and never why (invariant 7).

use edgeward_wire::error_code;

use crate::host;
use edgeward_filter::headers::Header;
use edgeward_filter::policy::Policy;
use edgeward_filter::rejection::Rejection;

/// How long a client should wait while no key is known: about one poll of the feed.
const RETRY_AFTER_S: &str = "1";

/// Sends a browser to log in.
pub(crate) fn redirect(location: &str, rejection: Rejection) -> bool {
    // 302 rather than 303: what is sent away is nearly always a GET, and both become one (RFC 9110 §15.4.3).
    respond(302, rejection.label(), &[("location", location), ("cache-control", "no-store")], "")
}

/// Replies with the readiness.
pub(crate) fn readiness(readiness: Result<(), Rejection>) -> bool {
    let headers = [("content-type", "text/plain"), ("cache-control", "no-store")];
    match readiness {
        Ok(()) => respond(200, "ready", &headers, "ready\n"),
        Err(rejection) => {
            let headers = [&headers[..], &[("retry-after", RETRY_AFTER_S)]].concat();
            respond(rejection.status(), rejection.label(), &headers, "not ready\n")
        }
    }
}

/// Refuses a request.
pub(crate) fn refuse(policy: Option<&Policy>, rejection: Rejection) -> bool {
    let (kind, code, message) = match rejection.status() {
        400 => ("bad_request", "bad_request", "The request can't be processed"),
        401 => ("unauthorized", error_code::NOT_SIGNED_IN, "Not signed in"),
        403 => ("forbidden", error_code::NOT_ALLOWED, "Not allowed"),
        _ => ("unavailable", "unavailable", "Not available right now"),
    };
    let body = format!(
        r#"{{"message":"{message}","errors":[{{"type":"{kind}","msg":"{message}","path":"","location":"","code":"{code}"}}]}}"#
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
    respond(rejection.status(), rejection.label(), &headers, &body)
}

fn respond(status: u16, label: &str, headers: &[(&str, &str)], body: &str) -> bool {
    let headers: Vec<Header<'_>> =
        headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    host::respond(status, &format!("edgeward_{label}"), &headers, body.as_bytes())
}
