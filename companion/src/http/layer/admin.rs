//! Authorization of administrators, on routes behind `layer::signed_in`. The role is the one that the database has now: the
//! gateway checks that of the token before, which is at most about 1.5 seconds old.
//!
//! No page of another origin can send these requests with the administrator's cookies unseen. Those that change something
//! are PATCH, DELETE, or POST of the type `application/json`, for all of which browsers ask first (CORS allows exact
//! origins), or forms of our pages, which carry a form token (`http::pages::form`); the gateway checks the origin, too.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::domain::caller::Caller;
use crate::http::error::ApiError;
use crate::service::session::SignedIn;

/// Passes requests of administrators, whose [`Caller`] says so from then on, and rejects all others.
pub(in crate::http) async fn require(mut request: Request, next: Next) -> Result<Response, ApiError> {
    let extensions = request.extensions_mut();
    let user = extensions.get::<SignedIn>().map(|signed_in| &signed_in.user).ok_or(ApiError::MissingLayer)?;
    if !user.role.is_admin() {
        return Err(ApiError::NotAdmin);
    }
    let user_id = user.id;
    let caller = extensions.get::<Caller>().ok_or(ApiError::MissingLayer)?.as_admin(user_id);
    extensions.insert(caller);
    Ok(next.run(request).await)
}
