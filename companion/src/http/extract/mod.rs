//! Extractors of handlers.

pub(super) mod body;
mod context;
pub(super) mod invalid_text;
pub(super) mod json_body;
pub(super) mod known_fields;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// Returns the token in `Authorization` (RFC 6750 §2.1). The scheme is case-insensitive (RFC 9110 §11.1).
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
