//! CORS for exact origins: with credentials, `*` would let every page act as its visitor.

use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method};
use edgeward_wire::Origin;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::observe::REQUEST_ID;
use crate::http::state::HttpPolicy;

/// The layer as the settings have it. It goes around everything that makes a response, so that a page can read each of
/// them: without these headers a browser tells it of a network error alone.
pub(in crate::http) fn layer(policy: &HttpPolicy) -> CorsLayer {
    for_origins(&policy.origins, &policy.cors_allow_headers)
}

/// The layer for these origins and request headers.
pub(in crate::http) fn for_origins(origins: &[Origin], allow_headers: &[HeaderName]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::list(allow_headers.iter().cloned()))
        .expose_headers([REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(Duration::from_hours(1))
}
