//! `GET /auth/self`: who is signed in. Unlike the edge it asks the database, so an ended session is refused at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::error::Refusal;
use crate::app::App;
use crate::db::users::{self, User};
use crate::domain::UserId;
use crate::domain::access_token::{Bearer, Expiry};

#[derive(Serialize)]
pub(super) struct Body {
    message: &'static str,
    user: Shown,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: UserId,
    first_name: String,
    last_name: String,
    email: String,
    role: String,
    created_at: String,
    updated_at: String,
}

pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Body>, Refusal> {
    let bearer = read_signed_in(&app, &headers)?;
    let mut connection = app.pool.acquire().await?;
    let found = users::find_signed_in(&mut connection, bearer, app.now()).await?;
    let user = found.ok_or(Refusal::NotSignedIn)?;
    Ok(Json(Body { message: "User details fetched successfully", user: user.into() }))
}

/// Whom the request's access token speaks of. Whether its session still lives is not asked here.
pub(super) fn read_signed_in(app: &App, headers: &HeaderMap) -> Result<Bearer, Refusal> {
    // A program that sends the header means it; a browser sends its cookies unasked.
    let token = read_bearer(headers).or_else(|| app.cookies.read_access(headers).ok().flatten());
    let bearer = token.and_then(|token| app.access_tokens.verify(token, app.now(), Expiry::Counts).ok());
    bearer.ok_or(Refusal::NotSignedIn)
}

/// RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
pub(super) fn read_bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl From<User> for Shown {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            role: user.role,
            created_at: write_time(user.created_at),
            updated_at: write_time(user.updated_at),
        }
    }
}

/// As JavaScript's `toISOString` writes it, which front ends expect.
fn write_time(time: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time.to_offset(time::UtcOffset::UTC).format(&form).unwrap_or_default()
}
