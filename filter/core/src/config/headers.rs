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

/// Reads `headers`. An absent name has its default.
pub(super) fn read(root: &mut Section<'_, '_>) -> IdentityHeaders {
    let mut section = root.section("headers");
    let mut names: Vec<String> = Vec::new();
    let mut name = |member: &str, default: &str| {
        let Some(section) = &mut section else { return default.to_owned() };
        let name =
            section.http_token(member).map_or_else(|| default.to_owned(), |name| name.to_ascii_lowercase());
        let folded = name.replace('_', "-");
        let is_reserved = |name: &&str| folded == *name || name.ends_with('-') && folded.starts_with(*name);
        if RESERVED.iter().any(is_reserved) {
            section.add_mistake(member, "must not be a header that HTTP or a proxy uses");
        }
        if names.contains(&folded) {
            section.add_mistake(member, "must differ from the other headers (`_` and `-` are the same)");
        }
        names.push(folded);
        name
    };
    let headers = IdentityHeaders {
        user_id: name("user_id", "x-user-id"),
        role: name("role", "x-user-role"),
        session_id: name("session_id", "x-session-id"),
    };
    if let Some(section) = section {
        section.reject_unknown();
    }
    headers
}
