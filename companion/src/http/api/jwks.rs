//! `GET /.well-known/jwks.json`: the public key set (RFC 7517).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use edgeward_wire::JwkSet;

use crate::domain::token::key_set::MAX_CACHE_AGE_S;
use crate::service::Tokens;

pub(in crate::http) async fn show(
    State(tokens): State<Arc<Tokens>>,
) -> ([(HeaderName, String); 1], Json<JwkSet>) {
    (
        [(CACHE_CONTROL, format!("public, max-age={MAX_CACHE_AGE_S}"))],
        Json(tokens.keys.current().published().clone()),
    )
}
