//! `POST /internal/edge-refresh`: refreshes the session of a request that the filter has paused.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use edgeward_wire::EdgeRefresh;

use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::guard::Guard;
use crate::service::{Tokens, session};

pub(in crate::http) async fn refresh(
    context: Context,
    State(guard): State<Arc<Guard>>,
    State(tokens): State<Arc<Tokens>>,
    State(cookies): State<Arc<CookiePolicy>>,
    headers: HeaderMap,
) -> Result<Json<EdgeRefresh>, ApiError> {
    let issued = session::refresh(&context, &guard, &tokens, cookies.read_refresh(&headers)).await?;
    let set_cookies = cookies.set(&issued).into_values();
    Ok(Json(EdgeRefresh { access_token: issued.access, set_cookies }))
}
