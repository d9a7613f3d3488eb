//! `GET /healthz`: the process runs. `GET /readyz`: it can serve, because the database can be reached and has our schema, and
//! it is not about to stop.
//! `GET /metrics`: what it has done. On the internal listener alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::error::Refusal;
use crate::app::App;
use crate::db::schema;
use crate::metrics::{self, METRICS};

pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Refusal> {
    if app.draining.load(Ordering::Relaxed) {
        return Err(Refusal::NotReady);
    }
    let mut connection = app.pool.acquire().await.map_err(|_| Refusal::NotReady)?;
    match schema::compare(&mut connection).await {
        Ok(None) => Ok(Json(json!({"status": "ready"}))),
        Ok(Some(_)) | Err(_) => Err(Refusal::NotReady),
    }
}

pub(super) async fn metrics(
    State(app): State<Arc<App>>,
) -> Result<([(HeaderName, &'static str); 1], String), Refusal> {
    let text = METRICS.write(&app).ok_or(Refusal::NotReady)?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text))
}
