//! `POST /auth/refresh`: replaces the tokens of a session.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::body;
use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::guard::Guard;
use crate::service::{Tokens, session};

/// Refresh
///
/// Replaces the tokens of the session. The gateway does this by itself for requests that pass it. After a lost response the
/// same token gets the same new tokens again.
#[utoipa::path(
    post,
    path = "/auth/refresh",
    operation_id = "refresh",
    tag = "Sessions",
    security(("refreshToken" = [])),
    responses((status = 200, description = "Refreshed", body = body::SignedInBody, headers(
        ("set-cookie" = String, description = "Both cookies, in two fields."),
    ))),
    extensions(("x-error-codes" = json!(["busy", "database_unavailable"]))),
)]
pub(in crate::http) async fn refresh(
    context: Context,
    State(guard): State<Arc<Guard>>,
    State(tokens): State<Arc<Tokens>>,
    State(cookies): State<Arc<CookiePolicy>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let issued = session::refresh(&context, &guard, &tokens, cookies.read_refresh(&headers)).await?;
    Ok(body::signed_in(&cookies, StatusCode::OK, "Token refreshed successfully", &issued))
}
