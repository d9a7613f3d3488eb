//! The audit log, newest first.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::audit::NAMES;
use crate::domain::audit::list::{AuditCursor, AuditFilter, ListedEntry, parse_event};
use crate::domain::page::PageSize;
use crate::domain::time::parse_time;
use crate::http::error::ApiError;
use crate::http::extract::known_fields::KnownFields;
use crate::http::pages::view::View;
use crate::service::{Context, audit_log};

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage<'a> {
    view: &'a View,
    names: &'a [&'static str],
    event: String,
    user_id: String,
    from: String,
    until: String,
    entries: Vec<ListedEntry>,
    next: Option<String>,
}

pub(in crate::http) async fn list(
    context: Context,
    view: View,
    mut query: KnownFields,
) -> Result<Response, ApiError> {
    // A form sends its empty fields, too.
    query.drop_empty();
    let [event, user_id, from, until] = ["event", "userId", "from", "until"].map(|name| query.typed(name));
    let filter = AuditFilter {
        user_id: query.parse("userId", str::parse),
        event: query.parse("event", parse_event),
        from: query.parse("from", parse_time),
        until: query.parse("until", parse_time),
        actor: None,
    };
    let before = query.parse("cursor", AuditCursor::decode);
    query.finish()?;
    let page = audit_log::list(&context, &filter, before, PageSize::default()).await?;
    let (entries, next) = (page.items, page.next.map(|next| next.encode()));
    view.show(
        StatusCode::OK,
        &AuditPage { view: &view, names: &NAMES, event, user_id, from, until, entries, next },
    )
}
