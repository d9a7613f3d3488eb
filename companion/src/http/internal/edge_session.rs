//! `POST /internal/edge-session`: tells a gateway if the streams of a session may stay open.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use edgeward_wire::EdgeSession;

use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::{Tokens, edge};

pub(in crate::http) async fn check(
    context: Context,
    State(tokens): State<Arc<Tokens>>,
    State(cookies): State<Arc<CookiePolicy>>,
    headers: HeaderMap,
) -> Result<Json<EdgeSession>, ApiError> {
    Ok(Json(edge::check_session(&context, &tokens, cookies.read_refresh(&headers)).await?))
}
