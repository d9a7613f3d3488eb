//! `GET /auth/sessions`: lists the signed-in user's sessions. `DELETE /auth/sessions/{id}` ends one of them,
//! `DELETE /auth/sessions` all but the current one.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::body::{Done, Timestamp};
use crate::domain::SessionId;
use crate::domain::session::SessionSummary;
use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::session::SignedIn;
use crate::service::{Tokens, session};

/// Response body of the list.
#[derive(Serialize)]
pub(in crate::http) struct SessionsResponse {
    message: &'static str,
    sessions: Vec<SessionBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionBody {
    id: SessionId,
    device: Option<String>,
    address_prefix: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    current: bool,
}

pub(in crate::http) async fn list(
    context: Context,
    signed_in: SignedIn,
    State(tokens): State<Arc<Tokens>>,
) -> Result<Json<SessionsResponse>, ApiError> {
    let listed = session::list(&context, &tokens, signed_in.subject).await?;
    let sessions = listed.into_iter().map(|session| SessionBody::new(session, signed_in.subject.session_id));
    Ok(Json(SessionsResponse { message: "Sessions fetched successfully", sessions: sessions.collect() }))
}

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

pub(in crate::http) async fn end_others(
    context: Context,
    signed_in: SignedIn,
) -> Result<Json<Done>, ApiError> {
    session::end_others(&context, signed_in.subject).await?;
    Ok(Done::new("Other sessions ended successfully"))
}

impl SessionBody {
    fn new(session: SessionSummary, current: SessionId) -> Self {
        Self {
            id: session.id,
            device: session.device,
            address_prefix: session.address_prefix,
            created_at: Timestamp(session.created_at),
            last_used_at: Timestamp(session.updated_at),
            current: session.id == current,
        }
    }
}
