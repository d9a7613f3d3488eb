//! Responses where no handler responds: an unknown path, a wrong method, a panic.

use std::any::Any;

use axum::response::{IntoResponse as _, Response};

use super::ApiError;

pub(in crate::http) async fn not_found() -> ApiError {
    ApiError::NotFound
}

/// Response to a method that the route does not have; axum adds `Allow`.
pub(in crate::http) async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

pub(in crate::http) fn on_panic(_: Box<dyn Any + Send>) -> Response {
    ApiError::Panicked.into_response()
}
