//! Extractors of what use cases take: their context, the signed-in user, and the client's device.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::domain::caller::Caller;
use crate::domain::session::device::Device;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::SignedIn;

impl FromRequestParts<AppState> for Context {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(ApiError::MissingLayer)?;
        Ok(state.context(caller))
    }
}

/// On routes behind `layer::signed_in`.
impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or(ApiError::MissingLayer)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Device {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let user_agent = parts.headers.get(USER_AGENT).map(HeaderValue::as_bytes);
        let request = parts.extensions.get::<Caller>().and_then(|caller| caller.request.as_ref());
        Ok(Self::new(user_agent, request.and_then(|request| request.client)))
    }
}
