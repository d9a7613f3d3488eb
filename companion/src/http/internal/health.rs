//! `GET /healthz`: the process is alive. `GET /readyz`: the database is reachable, this version can run with its schema,
//! and the service is not about to stop.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::http::error::ApiError;
use crate::http::state::Draining;
use crate::service::Context;
use crate::service::maintenance::{self, Readiness};

/// Response body.
#[derive(Serialize)]
pub(in crate::http) struct Health {
    status: &'static str,
}

pub(in crate::http) async fn alive() -> Json<Health> {
    Json(Health { status: "alive" })
}

pub(in crate::http) async fn ready(
    context: Context,
    State(draining): State<Draining>,
    State(readiness): State<Arc<Readiness>>,
) -> Result<Json<Health>, ApiError> {
    if !draining.has_started() && maintenance::is_ready(&context, &readiness).await {
        Ok(Json(Health { status: "ready" }))
    } else {
        Err(ApiError::NotReady)
    }
}
