//! `GET /auth/sessions`: a user's own sessions. `DELETE /auth/sessions/{id}` ends one, `DELETE /auth/sessions` all but
//! the one that asks. What ends here ends at the edge as well, in the same transaction.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use super::{signed_in, time_format};
use crate::app::App;
use crate::db::sessions::{self, Listed};
use crate::db::{revocations, users};
use crate::domain::SessionId;
use crate::domain::access_token::Bearer;

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

pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Body>, Refusal> {
    let now = app.now();
    let bearer = signed_in::read(&app, &headers, now)?;
    let mut connection = app.pool.acquire().await?;
    require_alive(&mut connection, bearer, now).await?;
    let listed = sessions::list(&mut connection, bearer.user_id, bearer.session_id, now).await?;
    let sessions = listed.into_iter().map(|session| show(session, bearer.session_id)).collect();
    Ok(Json(Body { message: "Sessions fetched successfully", sessions }))
}

pub(super) async fn end(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    id: Result<Path<SessionId>, PathRejection>,
) -> Result<Json<Value>, Refusal> {
    let now = app.now();
    let bearer = signed_in::read(&app, &headers, now)?;
    let Path(id) = id.map_err(|_| Refusal::NotFound)?;
    let mut transaction = app.pool.begin().await?;
    require_alive(&mut transaction, bearer, now).await?;
    if !sessions::end(&mut transaction, bearer.user_id, id).await? {
        return Err(Refusal::NotFound);
    }
    revocations::end_session(&mut transaction, id, app.access_tokens.revoked_until(now)).await?;
    transaction.commit().await?;
    audit::record(Event::SessionEnded(bearer.user_id, id), &caller);
    Ok(Json(json!({"message": "Session ended successfully"})))
}

pub(super) async fn end_others(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let now = app.now();
    let bearer = signed_in::read(&app, &headers, now)?;
    let until = app.access_tokens.revoked_until(now);
    let mut transaction = app.pool.begin().await?;
    require_alive(&mut transaction, bearer, now).await?;
    let ended = sessions::end_others(&mut transaction, bearer.user_id, bearer.session_id).await?;
    for id in &ended {
        revocations::end_session(&mut transaction, *id, until).await?;
    }
    transaction.commit().await?;
    for id in ended {
        audit::record(Event::SessionEnded(bearer.user_id, id), &caller);
    }
    Ok(Json(json!({"message": "Other sessions ended successfully"})))
}

/// A token that has not expired is not enough: its session may have ended.
async fn require_alive(
    connection: &mut PgConnection,
    bearer: Bearer,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    users::find_signed_in(connection, bearer, now).await?.map(drop).ok_or(Refusal::NotSignedIn)
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
