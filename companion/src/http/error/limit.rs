//! Header fields of a response to too many attempts.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use time::Duration;

use crate::domain::guard::Limit;

/// State and policy of a limit (draft-ietf-httpapi-ratelimit-headers).
pub(in crate::http) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(in crate::http) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Describes a limit that was reached, and when to come back, in whole seconds.
pub(in crate::http) fn describe(headers: &mut HeaderMap, limit: Limit, retry_after: Duration) {
    let seconds = retry_after.whole_seconds().max(0) + i64::from(retry_after.subsec_nanoseconds() > 0);
    let seconds = seconds.max(1);
    let (burst, period) = (limit.burst(), limit.period().whole_seconds());
    for (name, value) in [
        (RETRY_AFTER, seconds.to_string()),
        (RATE_LIMIT_POLICY, format!("\"attempts\";q={burst};w={period}")),
        (RATE_LIMIT, format!("\"attempts\";r=0;t={seconds}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}
