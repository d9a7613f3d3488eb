//! The answer that signs someone in: both tokens, in both cookies. Who may is decided before.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use time::OffsetDateTime;

use super::error::Refusal;
use crate::app::App;
use crate::domain::UserId;
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::role::Role;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    message: &'static str,
    user_id: UserId,
}

/// Signs the tokens of a session's generation and answers with them.
pub(super) fn answer(
    app: &App,
    (status, message): (StatusCode, &'static str),
    named: RefreshClaims,
    role: &Role,
    now: OffsetDateTime,
) -> Result<Response, Refusal> {
    let access = app.access_tokens.sign(named.user_id, named.session_id, role, now)?;
    let refresh = app.refresh_tokens.sign(named, now)?;
    let body = Json(Body { message, user_id: named.user_id });
    Ok((status, app.cookies.set(&access, &refresh), body).into_response())
}

/// The first generation of a session's tokens.
pub(super) const FIRST_GENERATION: i64 = 1;
