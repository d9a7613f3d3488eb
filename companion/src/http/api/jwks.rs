//! `GET /.well-known/jwks.json`: the public key set (RFC 7517).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use edgeward_wire::JwkSet;

use crate::service::Tokens;

/// `Cache-Control` of the set. A new key must be announced (`next.pem`) for longer than this before it signs.
const CACHE_POLICY: &str = "public, max-age=300";

pub(in crate::http) async fn show(
    State(tokens): State<Arc<Tokens>>,
) -> ([(HeaderName, &'static str); 1], Json<JwkSet>) {
    ([(CACHE_CONTROL, CACHE_POLICY)], Json(tokens.access.keys.current().published().clone()))
}
