//! Who a request comes from: the access token that it carries, and what it says if it is valid. Whether its session
//! still lives is the database's to say.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use time::OffsetDateTime;

use super::error::Refusal;
use crate::app::App;
use crate::domain::access_token::{Bearer, Expiry};

/// Whom the request's access token speaks of. A program that sends the header means it; a browser sends its cookies
/// unasked.
pub(super) fn read(app: &App, headers: &HeaderMap, now: OffsetDateTime) -> Result<Bearer, Refusal> {
    let token = read_bearer(headers).or_else(|| app.cookies.read_access(headers).ok().flatten());
    token
        .and_then(|token| app.access_tokens.verify(token, now, Expiry::Counts).ok())
        .ok_or(Refusal::NotSignedIn)
}

/// The token in `Authorization`: RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
pub(super) fn read_bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
