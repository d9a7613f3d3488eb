//! `GET /.well-known/jwks.json`: the public keys, for anyone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use edgeward_wire::JwkSet;

use crate::service::Tokens;

/// How long anyone may keep the set. A new key must be announced (`next.pem`) for longer than this before it signs.
const CACHE: &str = "public, max-age=300";

pub(in crate::http) async fn show(
    State(tokens): State<Arc<Tokens>>,
) -> ([(HeaderName, &'static str); 1], Json<JwkSet>) {
    ([(CACHE_CONTROL, CACHE)], Json(tokens.access.keys.current().published().clone()))
}
