//! `GET /auth/sessions`: a user's own sessions. `DELETE /auth/sessions/{id}` ends one, `DELETE /auth/sessions` all but
//! the one that asks.

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
use crate::http::extract::{Authenticated, UseCase};
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
    UseCase(context): UseCase,
    Authenticated(by): Authenticated,
    State(tokens): State<Arc<Tokens>>,
) -> Result<Json<SessionsResponse>, ApiError> {
    let listed = session::list(&context, &tokens, by.subject).await?;
    let sessions = listed.into_iter().map(|session| SessionBody::new(session, by.subject.session_id));
    Ok(Json(SessionsResponse { message: "Sessions fetched successfully", sessions: sessions.collect() }))
}

pub(in crate::http) async fn end(
    UseCase(context): UseCase,
    Authenticated(by): Authenticated,
    State(cookies): State<Arc<CookiePolicy>>,
    id: Result<Path<SessionId>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::NotFound)?;
    session::end(&context, by.subject, id).await?;
    let done = Done::new("Session ended successfully");
    // The end of one's own session is a logout, and no new tokens of it are to be kept.
    Ok(if id == by.subject.session_id {
        (cookies.clear(), done).into_response()
    } else {
        done.into_response()
    })
}

pub(in crate::http) async fn end_others(
    UseCase(context): UseCase,
    Authenticated(by): Authenticated,
) -> Result<Json<Done>, ApiError> {
    session::end_others(&context, by.subject).await?;
    Ok(Done::new("Other sessions ended successfully"))
}

impl SessionBody {
    fn new(session: SessionSummary, own: SessionId) -> Self {
        Self {
            id: session.id,
            device: session.device,
            address_prefix: session.address_prefix,
            created_at: Timestamp(session.created_at),
            last_used_at: Timestamp(session.updated_at),
            current: session.id == own,
        }
    }
}
