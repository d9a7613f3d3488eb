//! Recent authentication, on routes behind `layer::signed_in` that a stolen or unattended session must not reach: the user has
//! proved who they are, and not only that they hold a token. What counts is the database's, so a token from before the proof
//! is enough.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use edgeward_wire::authentication::MULTI_FACTOR;
use time::Duration;

use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::session::SignedIn;
use crate::service::{Context, factor};

/// Maximum age of the authentication of a user who adds a factor, which outlives the session: a stolen one must not become a way
/// to sign in. Chosen: the user has just signed in, or confirms who they are.
const ADDITION_MAX_AGE: Duration = Duration::minutes(10);

/// Passes requests of users whose last authentication is at most `AUTHENTICATION_MAX_AGE_SECONDS` old, and was by two factors
/// if a password alone does not sign them in. Rejects all others: a session from before the first factor, or of a companion
/// that does not know factors, would otherwise remove them by the password alone.
pub(in crate::http) async fn require(
    State(state): State<AppState>,
    context: Context,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let max_age = state.http.authentication_max_age;
    demand(max_age, &state, &context, request, next).await
}

/// Passes requests as [`require`] does, of users who may begin to add a factor.
pub(in crate::http) async fn require_for_addition(
    State(state): State<AppState>,
    context: Context,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let max_age = state.http.authentication_max_age.min(ADDITION_MAX_AGE);
    demand(max_age, &state, &context, request, next).await
}

async fn demand(
    max_age: Duration,
    state: &AppState,
    context: &Context,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let signed_in = request.extensions().get::<SignedIn>().cloned().ok_or(ApiError::MissingLayer)?;
    if !signed_in.authentication.is_recent(max_age, state.clock.now()) {
        return Err(ApiError::AuthenticationOutdated { max_age });
    }
    if !signed_in.authentication.methods.contains(MULTI_FACTOR)
        && factor::is_demanded(context, signed_in.user.id).await?
    {
        return Err(ApiError::FactorMissing);
    }
    Ok(next.run(request).await)
}
