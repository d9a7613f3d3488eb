//! `GET /internal/edge-feed`: what a gateway must know.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use edgeward_wire::EdgeFeed;
use serde::Deserialize;

use crate::http::error::ApiError;
use crate::http::extract::UseCase;
use crate::service::{Tokens, edge};

/// What the gateway has already.
#[derive(Deserialize)]
pub(in crate::http) struct FeedQuery {
    /// Cursor of the last response that it has applied.
    after: Option<String>,
    /// Tag of its key set.
    keys: Option<String>,
}

pub(in crate::http) async fn show(
    UseCase(context): UseCase,
    State(tokens): State<Arc<Tokens>>,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<Json<EdgeFeed>, ApiError> {
    let Query(FeedQuery { after, keys }) = query.map_err(|_| ApiError::QueryUnreadable)?;
    Ok(Json(edge::read_feed(&context, &tokens, after.as_deref(), keys.as_deref()).await?))
}
