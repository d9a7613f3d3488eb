//! CORS for exact origins. With credentials, `*` would let every page act as its visitor.

use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method};
use edgeward_wire::Origin;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::observe::REQUEST_ID;
use crate::http::error::limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::http::state::HttpPolicy;

/// Makes the layer of the settings. It belongs around everything that makes a response: without these header fields, a
/// browser reports an error response to the page as a network error.
pub(in crate::http) fn layer(policy: &HttpPolicy) -> CorsLayer {
    for_origins(&policy.origins, &policy.cors_allow_headers)
}

/// Makes the layer for these origins and request header fields.
pub(in crate::http) fn for_origins(origins: &[Origin], allow_headers: &[HeaderName]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::list(allow_headers.iter().cloned()))
        .expose_headers([RATE_LIMIT, RATE_LIMIT_POLICY, REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(Duration::from_hours(1))
}
