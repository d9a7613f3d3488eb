//! `GET /.well-known/jwks.json`: the public key set (RFC 7517).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use edgeward_wire::JwkSet;
use utoipa::ToSchema;

use crate::domain::token::key_set::MAX_CACHE_AGE_S;
use crate::service::Tokens;

/// Public keys that access tokens verify with (RFC 7517 §5).
#[derive(ToSchema)]
#[schema(as = JwkSet)]
#[expect(dead_code, reason = "describes the type of `wire`, which knows no OpenAPI")]
struct JwkSetBody {
    keys: Vec<JwkBody>,
}

/// Public RSA key (RFC 7517 §4, RFC 7518 §6.3.1).
#[derive(ToSchema)]
#[schema(as = Jwk)]
#[expect(dead_code, reason = "describes the type of `wire`, which knows no OpenAPI")]
struct JwkBody {
    /// Key type.
    #[schema(example = "RSA")]
    kty: String,
    /// Key ID: the thumbprint (RFC 7638).
    kid: String,
    /// Algorithm.
    #[schema(example = "RS256")]
    alg: String,
    /// Intended use.
    #[schema(rename = "use", example = "sig")]
    use_: String,
    /// Modulus: big-endian, base64url without padding.
    n: String,
    /// Public exponent: big-endian, base64url without padding.
    #[schema(example = "AQAB")]
    e: String,
}

/// Public keys
///
/// The keys that access tokens verify with: the one that signs, the next one, and retired ones that still verify.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "getPublicKeys",
    tag = "Keys",
    responses((status = 200, description = "The key set", body = JwkSetBody, headers(
        ("cache-control" = String, description = "Time for which the set may be stored."),
    ))),
)]
pub(in crate::http) async fn show(
    State(tokens): State<Arc<Tokens>>,
) -> ([(HeaderName, String); 1], Json<JwkSet>) {
    (
        [(CACHE_CONTROL, format!("public, max-age={MAX_CACHE_AGE_S}"))],
        Json(tokens.keys.current().published().clone()),
    )
}
