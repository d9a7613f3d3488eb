//! Extractors of the context of a use case and of the signed-in user.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use crate::domain::caller::Caller;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::SignedIn;

/// Context of the use case that a handler calls.
pub(in crate::http) struct UseCase(pub(in crate::http) Context);

/// Signed-in user, on routes behind `layer::signed_in`.
pub(in crate::http) struct Authenticated(pub(in crate::http) SignedIn);

impl<S: Send + Sync> FromRequestParts<S> for UseCase
where
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(ApiError::MissingLayer)?;
        Ok(Self(AppState::from_ref(state).context(caller)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().map(Self).ok_or(ApiError::MissingLayer)
    }
}
