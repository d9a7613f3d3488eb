//! `GET /admin/users/{id}/sessions` lists a user's sessions. `POST /admin/users/{id}/sessions/end` ends some or all,
//! `DELETE /admin/users/{id}/sessions/{session}` one.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder};

use super::user_of;
use crate::domain::SessionId;
use crate::http::api::body::Done;
use crate::http::api::sessions::SessionsResponse;
use crate::http::error::ApiError;
use crate::http::extract::json_body::JsonBody;
use crate::http::extract::known_fields::KnownFields;
use crate::http::openapi::fields;
use crate::service::session::{self, SignedIn};
use crate::service::{Context, Error, Tokens};

/// Maximum number of sessions that one request names: those of a list.
const MAX_IDS: usize = 100;

/// Sessions that end.
#[derive(ToSchema)]
#[schema(as = SessionsToEnd)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the member that `read_ids` takes, to name its mistakes")]
struct SessionsToEndBody {
    #[schema(required = false, schema_with = ids)]
    ids: Vec<SessionId>,
}

/// Sessions that ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EndedSessions)]
pub(in crate::http) struct SessionsEndedResponse {
    /// Message for people.
    message: &'static str,
    /// Number of sessions that ended.
    sessions_ended: usize,
}

/// List a user's sessions
///
/// The hundred that were used last.
#[utoipa::path(
    get,
    path = "/admin/users/{id}/sessions",
    operation_id = "listUserSessions",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
    ),
    responses((status = 200, description = "The sessions", body = SessionsResponse)),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(in crate::http) async fn list(
    context: Context,
    signed_in: SignedIn,
    State(tokens): State<Arc<Tokens>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<SessionsResponse>, ApiError> {
    let (_, listed) = session::list_of(&context, &user_of(id)?, tokens.lifetimes.absolute).await?;
    Ok(Json(SessionsResponse::new(listed, signed_in.subject.session_id)))
}

/// End sessions of a user
///
/// Those that the body names, or all.
#[utoipa::path(
    post,
    path = "/admin/users/{id}/sessions/end",
    operation_id = "endUserSessions",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
    ),
    request_body = SessionsToEndBody,
    responses((status = 200, description = "Ended", body = SessionsEndedResponse)),
    extensions(("x-error-codes" = json!(["ids_malformed", "not_found", "unknown"]))),
)]
pub(in crate::http) async fn end(
    context: Context,
    id: Result<Path<String>, PathRejection>,
    JsonBody(members): JsonBody<Map<String, Value>>,
) -> Result<Json<SessionsEndedResponse>, ApiError> {
    let user = user_of(id)?;
    let chosen = read_ids(members)?;
    let (_, sessions_ended) = session::end_of(&context, &user, chosen.as_ref()).await?;
    Ok(Json(SessionsEndedResponse { message: "Sessions ended successfully", sessions_ended }))
}

/// End a session of a user
#[utoipa::path(
    delete,
    path = "/admin/users/{id}/sessions/{session}",
    operation_id = "endUserSession",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
        ("session" = i64, Path, description = "ID of the session", minimum = 1),
    ),
    responses((status = 200, description = "Ended", body = Done)),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(in crate::http) async fn end_one(
    context: Context,
    ids: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<Done>, ApiError> {
    let Path((user, session)) = ids.map_err(|_| ApiError::NotFound)?;
    let user = user_of(Ok(Path(user)))?;
    let session: SessionId = session.parse().map_err(|_| ApiError::NotFound)?;
    match session::end_of(&context, &user, Some(&BTreeSet::from([session]))).await? {
        (_, 0) => Err(Error::SessionUnknown.into()),
        _ => Ok(Done::new("Session ended successfully")),
    }
}

/// Schema of `ids`.
fn ids() -> Array {
    let description = "IDs of sessions; those of other users have no effect. Without it, all end.";
    ArrayBuilder::new()
        .description(Some(description))
        .items(fields::id())
        .min_items(Some(1))
        .max_items(Some(MAX_IDS))
        .build()
}

/// Reads a whole number. In JSON, `3.0` is the same as `3` (RFC 8259 §6), and some languages write it.
fn whole(value: &Value) -> Option<i64> {
    let written =
        || value.as_f64().filter(|number| number.fract() == 0.0).map(|number| format!("{number:.0}"));
    value.as_i64().or_else(|| written()?.parse().ok())
}

fn read_ids(members: Map<String, Value>) -> Result<Option<BTreeSet<SessionId>>, ApiError> {
    let mut body = KnownFields::of_body(members);
    let ids = body.read("ids", "ids_malformed", "1 to 100 session IDs", |ids| {
        let ids = ids.as_array().filter(|ids| (1..=MAX_IDS).contains(&ids.len()))?;
        ids.iter().map(|id| whole(id).filter(|id| *id > 0).map(SessionId)).collect()
    });
    body.finish()?;
    Ok(ids)
}
