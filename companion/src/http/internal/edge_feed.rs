//! `GET /internal/edge-feed`: public keys, revocations and bans for a gateway. A shared cache in between may keep a
//! response for its second.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use edgeward_wire::FeedQuery;

use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::edge::FeedPublisher;
use crate::service::{Tokens, edge};

/// `Cache-Control` of a response. `public`, because requests may have `Authorization` (RFC 9111 §3.5): the cache has to
/// require it.
const CACHED: &str = "public, max-age=1";

pub(in crate::http) async fn show(
    context: Context,
    State(tokens): State<Arc<Tokens>>,
    State(publisher): State<Arc<FeedPublisher>>,
    headers: HeaderMap,
    query: Result<Query<FeedQuery<'static>>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|_| ApiError::QueryInvalid)?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    edge::check_filter(&context, text(USER_AGENT));
    let document = edge::read_feed(&context, &tokens, &publisher, query).await?;
    let caching = [(CACHE_CONTROL, CACHED), (ETAG, document.etag.as_str())];
    // RFC 9110 §13.1.2.
    if text(IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == document.etag)) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(CONTENT_TYPE, "application/json")], document.body.clone()).into_response())
}
