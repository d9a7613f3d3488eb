//! `GET /metrics`: metrics for Prometheus.

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;

use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::telemetry::metrics::{self, Gauges};

pub(in crate::http) async fn show(
    State(state): State<AppState>,
) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    let gauges = Gauges {
        connections: state.db.size(),
        idle_connections: state.db.num_idle(),
        password_hashes: state.hasher.in_flight(),
        keys: state.tokens.keys.current().published().keys.len(),
    };
    let text = state.metrics.write(gauges).map_err(ApiError::Formatting)?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text))
}
