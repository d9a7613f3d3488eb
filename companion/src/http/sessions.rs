//! `GET /auth/sessions`: a user's own sessions. `DELETE /auth/sessions/{id}` ends one, `DELETE /auth/sessions` all but
//! the one that asks. What ends here ends at the edge as well, in the same statement.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use super::signed_in::SignedIn;
use super::time_format;
use crate::app::App;
use crate::db::sessions::{self, Listed};
use crate::domain::SessionId;

#[derive(Serialize)]
pub(super) struct Body {
    message: &'static str,
    sessions: Vec<Shown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: SessionId,
    device: Option<String>,
    address_prefix: Option<String>,
    created_at: String,
    last_used_at: String,
    current: bool,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(SignedIn { bearer, .. }): Extension<SignedIn>,
) -> Result<Json<Body>, Refusal> {
    let mut connection = app.pool.acquire().await?;
    let now = app.now();
    let too_old = app.lifetimes.too_old(now);
    let listed = sessions::list(&mut connection, bearer.user_id, bearer.session_id, now, too_old).await?;
    let sessions = listed.into_iter().map(|session| show(session, bearer.session_id)).collect();
    Ok(Json(Body { message: "Sessions fetched successfully", sessions }))
}

pub(super) async fn end(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(SignedIn { bearer, .. }): Extension<SignedIn>,
    id: Result<Path<SessionId>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path(id) = id.map_err(|_| Refusal::NotFound)?;
    let mut connection = app.pool.acquire().await?;
    let until = app.access_tokens.revoked_until(app.now());
    if !sessions::end(&mut connection, bearer.user_id, id, until).await? {
        return Err(Refusal::NotFound);
    }
    audit::record(Event::SessionEnded(bearer.user_id, id), &caller);
    let ended = Json(json!({"message": "Session ended successfully"}));
    // The end of one's own session is a logout, and no new tokens of it are to be kept.
    Ok(if id == bearer.session_id {
        (app.cookies.clear(), ended).into_response()
    } else {
        ended.into_response()
    })
}

pub(super) async fn end_others(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(SignedIn { bearer, .. }): Extension<SignedIn>,
) -> Result<Json<Value>, Refusal> {
    let mut connection = app.pool.acquire().await?;
    let until = app.access_tokens.revoked_until(app.now());
    let ended = sessions::end_others(&mut connection, bearer.user_id, bearer.session_id, until).await?;
    for id in ended {
        audit::record(Event::SessionEnded(bearer.user_id, id), &caller);
    }
    Ok(Json(json!({"message": "Other sessions ended successfully"})))
}

fn show(session: Listed, own: SessionId) -> Shown {
    Shown {
        id: session.id,
        device: session.device,
        address_prefix: session.address_prefix,
        created_at: time_format::write(session.created_at),
        last_used_at: time_format::write(session.updated_at),
        current: session.id == own,
    }
}
