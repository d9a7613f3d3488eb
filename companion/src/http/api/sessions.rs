//! `GET /auth/sessions`: lists the signed-in user's sessions. `DELETE /auth/sessions/{id}` ends one of them,
//! `DELETE /auth/sessions` all but the current one.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{Done, Timestamp};
use crate::domain::SessionId;
use crate::domain::session::SessionSummary;
use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::http::openapi::fields;
use crate::service::Context;
use crate::service::session::SignedIn;
use crate::service::{Tokens, session};

/// Sessions of the signed-in user.
#[derive(Serialize, ToSchema)]
#[schema(as = Sessions)]
pub(in crate::http) struct SessionsResponse {
    /// Message for people.
    message: &'static str,
    sessions: Vec<SessionBody>,
}

/// Session of the signed-in user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct SessionBody {
    #[schema(schema_with = fields::id)]
    id: SessionId,
    /// Name that the program gave itself (`User-Agent`).
    #[schema(required, example = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")]
    device: Option<String>,
    /// Name of the device for people: program and platform.
    #[schema(required, example = "Firefox on Linux")]
    device_name: Option<String>,
    /// Network that the session was started from.
    #[schema(required, example = "203.0.113.0/24")]
    address_prefix: Option<String>,
    #[schema(schema_with = fields::timestamp)]
    created_at: Timestamp,
    #[schema(schema_with = fields::timestamp)]
    last_used_at: Timestamp,
    /// `true` for the session of this request.
    current: bool,
}

/// Sessions
///
/// Lists the user's sessions.
#[utoipa::path(
    get,
    path = "/auth/sessions",
    operation_id = "listSessions",
    tag = "Sessions",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 200, description = "The sessions", body = SessionsResponse)),
)]
pub(in crate::http) async fn list(
    context: Context,
    signed_in: SignedIn,
    State(tokens): State<Arc<Tokens>>,
) -> Result<Json<SessionsResponse>, ApiError> {
    let listed = session::list(&context, &tokens.lifetimes, signed_in.subject).await?;
    Ok(Json(SessionsResponse::new(listed, signed_in.subject.session_id)))
}

/// End a session
///
/// The end of the current session is a logout, which clears both cookies.
#[utoipa::path(
    delete,
    path = "/auth/sessions/{id}",
    operation_id = "endSession",
    tag = "Sessions",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(("id" = i64, Path, description = "ID of the session", minimum = 1)),
    responses((status = 200, description = "Ended", body = Done)),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(in crate::http) async fn end(
    context: Context,
    signed_in: SignedIn,
    State(cookies): State<Arc<CookiePolicy>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::NotFound)?;
    let id: SessionId = id.parse().map_err(|_| ApiError::NotFound)?;
    session::end(&context, signed_in.subject, id).await?;
    let done = Done::new("Session ended successfully");
    // The end of the current session is a logout. It also overrides renewed cookies of `layer::signed_in`.
    Ok(if id == signed_in.subject.session_id {
        (cookies.clear(), done).into_response()
    } else {
        done.into_response()
    })
}

/// End the other sessions
///
/// Ends every session of the user but the current one.
#[utoipa::path(
    delete,
    path = "/auth/sessions",
    operation_id = "endOtherSessions",
    tag = "Sessions",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 200, description = "Ended", body = Done)),
    extensions(("x-error-codes" = json!(["insufficient_user_authentication"]))),
)]
pub(in crate::http) async fn end_others(
    context: Context,
    signed_in: SignedIn,
) -> Result<Json<Done>, ApiError> {
    session::end_others(&context, signed_in.subject).await?;
    Ok(Done::new("Other sessions ended successfully"))
}

impl SessionsResponse {
    /// Makes the body of a list, in which one session may be the current one.
    pub(in crate::http) fn new(listed: Vec<SessionSummary>, current: SessionId) -> Self {
        let sessions = listed.into_iter().map(|session| SessionBody::new(session, current)).collect();
        Self { message: "Sessions fetched successfully", sessions }
    }
}

impl SessionBody {
    fn new(session: SessionSummary, current: SessionId) -> Self {
        Self {
            id: session.id,
            device_name: session.device_name().map(|name| name.to_string()),
            device: session.device,
            address_prefix: session.address_prefix,
            created_at: Timestamp(session.created_at),
            last_used_at: Timestamp(session.updated_at),
            current: session.id == current,
        }
    }
}
