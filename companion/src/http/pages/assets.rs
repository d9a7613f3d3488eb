//! Files of the pages.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::site::Site;
use crate::http::error::ApiError;

/// The address of these files changes with their content.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The logo may change with the next start.
const BRIEFLY: &str = "public, max-age=300";
/// An SVG picture that is opened as a page runs nothing.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

pub(in crate::http) async fn style(State(site): State<Arc<Site>>) -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, FOREVER)], site.style.content.clone())
        .into_response()
}

pub(in crate::http) async fn script(State(site): State<Arc<Site>>) -> Response {
    let fields = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, FOREVER)];
    (fields, site.script.content.clone()).into_response()
}

pub(in crate::http) async fn icon(State(site): State<Arc<Site>>) -> Response {
    let fields = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, FOREVER),
        (CONTENT_SECURITY_POLICY, PICTURE_POLICY),
    ];
    (fields, site.icon.content.clone()).into_response()
}

pub(in crate::http) async fn logo(State(site): State<Arc<Site>>) -> Result<Response, ApiError> {
    let logo = site.logo.as_ref().ok_or(ApiError::NotFound)?;
    let fields = [
        (CONTENT_TYPE, logo.content_type),
        (CACHE_CONTROL, BRIEFLY),
        (CONTENT_SECURITY_POLICY, PICTURE_POLICY),
    ];
    Ok((fields, logo.bytes.clone()).into_response())
}
