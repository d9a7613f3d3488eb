//! `GET /openapi.json`: the OpenAPI document of this service.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use serde_json::Value;

use crate::http::cookies::CookiePolicy;
use crate::http::routes;
use crate::http::state::HttpPolicy;

/// OpenAPI document
///
/// This document, with the base path and the names of the cookies of this service.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "Documentation",
    responses((status = 200, description = "The document", body = Object)),
)]
pub(in crate::http) async fn show(
    State(policy): State<Arc<HttpPolicy>>,
    State(cookies): State<Arc<CookiePolicy>>,
) -> ([(HeaderName, &'static str); 1], Json<Value>) {
    let document = routes::shared_document(&policy, &cookies).clone();
    ([(CACHE_CONTROL, "public, max-age=300")], Json(document))
}
