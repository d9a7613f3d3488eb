//! Who a request comes from: the access token that it carries, what it says if it is valid, and whether its session
//! still lives. All else is 401.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::error::Refusal;
use crate::app::App;
use crate::db::users::{self, User};
use crate::domain::access_token::{Bearer, Expiry};

/// Whom the request's access token speaks of. A program that sends the header means it; a browser sends its cookies
/// unasked.
pub(super) fn read(app: &App, headers: &HeaderMap) -> Result<Bearer, Refusal> {
    let token = read_program_token(headers).or_else(|| app.cookies.read_access(headers).ok().flatten());
    token
        .and_then(|token| app.access_tokens.verify(token, app.now(), Expiry::Counts).ok())
        .ok_or(Refusal::NotSignedIn)
}

/// That user, if they still are: a token that has not expired is not enough.
pub(super) async fn find(
    app: &App,
    connection: &mut PgConnection,
    bearer: Bearer,
    now: OffsetDateTime,
) -> Result<User, Refusal> {
    let too_old = app.lifetimes.too_old(now);
    users::find_signed_in(connection, bearer, now, too_old).await?.ok_or(Refusal::NotSignedIn)
}

/// What front ends send in a token's place when they have none: the word that their language prints for nothing, for a
/// promise that was not awaited, or for an object. None of them can be a JWT, which has two dots.
const NO_TOKEN: [&str; 8] =
    ["", "undefined", "null", "None", "nil", "false", "[object Object]", "[object Promise]"];

/// The token in `Authorization`, if a program means one. A browser's script may send the header without having a token,
/// since it cannot read our cookies; that is as good as none.
fn read_program_token(headers: &HeaderMap) -> Option<&str> {
    read_bearer(headers).filter(|token| !NO_TOKEN.contains(token))
}

/// The token in `Authorization`: RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
pub(super) fn read_bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
