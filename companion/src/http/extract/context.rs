//! The context of a use case, and the signed-in user, as handlers extract them.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use crate::domain::caller::Caller;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::SignedIn;

/// The context in which a handler calls a use case.
pub(in crate::http) struct UseCase(pub(in crate::http) Context);

/// The signed-in user, on routes behind `layer::signed_in`.
pub(in crate::http) struct Authenticated(pub(in crate::http) SignedIn);

impl<S: Send + Sync> FromRequestParts<S> for UseCase
where
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(ApiError::NotObserved)?;
        Ok(Self(AppState::from_ref(state).context(caller)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().map(Self).ok_or(ApiError::NotObserved)
    }
}
