//! Authentication of the edge, on the routes of the edge feed, the edge refresh and the session check.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use secrecy::ExposeSecret;

use crate::http::error::ApiError;
use crate::http::extract::bearer_token;
use crate::http::state::HttpPolicy;

/// Rejects requests without a valid secret, if secrets are configured.
pub(in crate::http) async fn require(
    State(policy): State<Arc<HttpPolicy>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let presented = bearer_token(request.headers()).unwrap_or_default();
    let is_presented =
        |secret: &str| verify_slices_are_equal(secret.as_bytes(), presented.as_bytes()).is_ok();
    let secrets = &policy.feed_secrets;
    if secrets.is_empty() || secrets.iter().any(|secret| is_presented(secret.expose_secret())) {
        Ok(next.run(request).await)
    } else {
        Err(ApiError::EdgeSecretWrong)
    }
}
