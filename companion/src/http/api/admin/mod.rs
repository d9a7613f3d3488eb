//! Handlers of the admin API, below `/admin`: users, their sessions, and the audit log. All are behind `layer::admin`.

pub(in crate::http) mod audit;
pub(in crate::http) mod factors;
pub(in crate::http) mod sessions;
mod user_body;
pub(in crate::http) mod users;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;

use crate::domain::account::user_ref::UserRef;
use crate::http::error::ApiError;

/// Reads the ID of a user from the path. Another text is the path of nothing.
fn user_of(path: Result<Path<String>, PathRejection>) -> Result<UserRef, ApiError> {
    let Path(id) = path.map_err(|_| ApiError::NotFound)?;
    id.parse().map(UserRef::Id).map_err(|_| ApiError::NotFound)
}
