//! `GET /admin/audit` lists the audit log, newest first.

use axum::Json;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::domain::audit::NAMES;
use crate::domain::audit::list::{AuditCursor, AuditFilter, ListedEntry, parse_actor, parse_event};
use crate::domain::caller::Actor;
use crate::domain::page::PageSize;
use crate::domain::time::parse_time;
use crate::domain::{SessionId, UserId};
use crate::http::api::body::Timestamp;
use crate::http::error::ApiError;
use crate::http::extract::known_fields::KnownFields;
use crate::http::openapi::fields;
use crate::service::{Context, audit_log};

/// Name of an event.
struct EventName;

/// Name of an actor.
struct ActorName;

/// Page of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditLog)]
pub(in crate::http) struct AuditResponse {
    /// Message for people.
    message: &'static str,
    entries: Vec<EntryBody>,
    /// Cursor of the next page, which is older; null after the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Entry of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
struct EntryBody {
    id: i64,
    #[schema(schema_with = fields::timestamp)]
    at: Timestamp,
    #[schema(value_type = EventName)]
    event: String,
    #[schema(value_type = ActorName)]
    actor: String,
    /// ID of the user that it concerns.
    #[schema(required, value_type = Option<i64>)]
    user_id: Option<UserId>,
    /// ID of the session that it concerns.
    #[schema(required, value_type = Option<i64>)]
    session_id: Option<SessionId>,
    #[schema(required)]
    request_id: Option<String>,
    /// Network of the client.
    #[schema(required, example = "203.0.113.0/24")]
    client_prefix: Option<String>,
    /// More of it, by event. `by` is the ID of the administrator.
    #[schema(required, value_type = Object)]
    details: Option<Box<RawValue>>,
}

/// List the audit log
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/admin/audit",
    operation_id = "listAuditLog",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("userId" = Option<i64>, Query, description = "ID of the user that the entries concern", minimum = 1),
        ("event" = Option<EventName>, Query, description = "Name of the event"),
        ("actor" = Option<ActorName>, Query, description = "Name of the actor"),
        ("from" = Option<String>, Query, description = "Time of the oldest entry (RFC 3339), or a day", format = "time-or-day"),
        ("until" = Option<String>, Query, description = "Time before which all entries are (RFC 3339), or a day", format = "time-or-day"),
        ("limit" = Option<i32>, Query, description = "Size of the page; 50 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses((status = 200, description = "A page of the audit log", body = AuditResponse)),
    extensions(("x-error-codes" = json!(["actor_unknown", "cursor_invalid", "event_unknown", "limit_out_of_range", "query_invalid", "time_malformed", "unknown", "user_id_malformed"]))),
)]
pub(in crate::http) async fn list(
    context: Context,
    mut query: KnownFields,
) -> Result<Json<AuditResponse>, ApiError> {
    let filter = AuditFilter {
        user_id: query.parse("userId", str::parse),
        event: query.parse("event", parse_event),
        actor: query.parse("actor", parse_actor),
        from: query.parse("from", parse_time),
        until: query.parse("until", parse_time),
    };
    let before = query.parse("cursor", AuditCursor::decode);
    let size = query.parse("limit", PageSize::parse).unwrap_or_default();
    query.finish()?;
    let page = audit_log::list(&context, &filter, before, size).await?;
    Ok(Json(AuditResponse {
        message: "Audit log fetched successfully",
        entries: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|next| next.encode()),
    }))
}

impl utoipa::PartialSchema for EventName {
    fn schema() -> RefOr<Schema> {
        fields::one_of(NAMES).into()
    }
}

impl ToSchema for EventName {}

impl utoipa::PartialSchema for ActorName {
    fn schema() -> RefOr<Schema> {
        fields::one_of(Actor::NAMES).into()
    }
}

impl ToSchema for ActorName {}

impl From<ListedEntry> for EntryBody {
    fn from(listed: ListedEntry) -> Self {
        let ListedEntry { id, entry } = listed;
        Self {
            id,
            at: Timestamp(entry.at),
            event: entry.event,
            actor: entry.actor,
            user_id: entry.user_id,
            session_id: entry.session_id,
            request_id: entry.request_id,
            client_prefix: entry.client_prefix,
            // Postgres has checked that it is an object.
            details: RawValue::from_string(entry.details).ok(),
        }
    }
}
