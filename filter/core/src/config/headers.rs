//! Section `headers`: the names of the identity headers.

use super::section::Section;
use crate::policy::IdentityHeaders;

/// Names that HTTP, a browser or a proxy uses in its own way, and beginnings of such names, with a hyphen at their end.
const RESERVED: &[&str] = &[
    "accept",
    "authorization",
    "cache-control",
    "connection",
    "content-",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-",
    "keep-alive",
    "origin",
    "proxy-",
    "range",
    "referer",
    "sec-",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-envoy-",
    "x-forwarded-",
    "x-request-id",
];

/// Reads `headers`. An absent name has its default, or its header is not set.
pub(super) fn read(root: &mut Section<'_, '_>) -> IdentityHeaders {
    let mut section = root.section("headers");
    let mut names: Vec<String> = Vec::new();
    let mut name = |member: &str, default: Option<&str>| {
        let default = default.map(str::to_owned);
        let Some(section) = &mut section else { return default };
        let name = section.http_token(member).map(|name| name.to_ascii_lowercase()).or(default)?;
        let folded = name.replace('_', "-");
        let is_reserved = |name: &&str| folded == *name || name.ends_with('-') && folded.starts_with(*name);
        if RESERVED.iter().any(is_reserved) {
            section.add_mistake(member, "must not be a header that HTTP or a proxy uses");
        }
        if names.contains(&folded) {
            section.add_mistake(member, "must differ from the other headers (`_` and `-` are the same)");
        }
        names.push(folded);
        Some(name)
    };
    let mut or_default = |member: &str, default: &str| name(member, Some(default)).unwrap_or_default();
    let (user_id, role) = (or_default("user_id", "x-user-id"), or_default("role", "x-user-role"));
    let session_id = or_default("session_id", "x-session-id");
    let (auth_time, amr) = (name("auth_time", None), name("amr", None));
    let headers = IdentityHeaders::new([user_id, role, session_id], auth_time, amr);
    if let Some(section) = section {
        section.reject_unknown();
    }
    headers
}
