//! `GET /internal/edge-feed`: public keys, revocations and bans for a gateway.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use edgeward_wire::{EdgeFeed, FeedQuery};

use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::{Tokens, edge};

pub(in crate::http) async fn show(
    context: Context,
    State(tokens): State<Arc<Tokens>>,
    query: Result<Query<FeedQuery<'static>>, QueryRejection>,
) -> Result<Json<EdgeFeed>, ApiError> {
    let Query(query) = query.map_err(|_| ApiError::QueryInvalid)?;
    Ok(Json(edge::read_feed(&context, &tokens, &query).await?))
}
