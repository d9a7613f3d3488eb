//! The audit log, newest first.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use time::{Duration, OffsetDateTime};

use crate::domain::audit::NAMES;
use crate::domain::audit::list::{AuditCursor, AuditFilter, ListedEntry, parse_event};
use crate::domain::page::PageSize;
use crate::domain::time::{InvalidTime, parse_time};
use crate::hashing::PasswordHasher;
use crate::http::error::ApiError;
use crate::http::extract::known_fields::KnownFields;
use crate::http::pages::form::Form;
use crate::http::pages::view::View;
use crate::service::{Context, audit_log};

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage<'a> {
    view: &'a View,
    names: &'a [&'static str],
    form: &'a Form,
    entries: Vec<ListedEntry>,
    next: Option<String>,
}

pub(in crate::http) async fn list(
    context: Context,
    State(hasher): State<Arc<PasswordHasher>>,
    view: View,
    mut query: KnownFields,
) -> Result<Response, ApiError> {
    // A form sends its empty fields, too.
    query.drop_empty();
    let typed = ["event", "userId", "from", "until"].map(|name| (name, query.typed(name)));
    let mut form = Form::of(&typed.each_ref().map(|(name, typed)| (*name, typed.as_str())));
    let filter = AuditFilter {
        user_id: query.parse("userId", str::parse),
        event: query.parse("event", parse_event),
        from: query.parse("from", parse_time),
        until: query.parse("until", parse_end),
        actor: None,
    };
    let before = query.parse("cursor", AuditCursor::decode);
    let page = |form, entries, next| AuditPage { view: &view, names: &NAMES, form, entries, next };
    if let Err(mistakes) = query.finish() {
        let head = form.reject_query(mistakes, view.text, hasher.policy)?;
        return view.show(head, &page(&form, Vec::new(), None));
    }
    let found = audit_log::list(&context, &filter, before, PageSize::default()).await?;
    view.show(StatusCode::OK, &page(&form, found.items, found.next.map(|next| next.encode())))
}

/// Parses the end of a span. A day belongs to it as a whole.
fn parse_end(text: &str) -> Result<OffsetDateTime, InvalidTime> {
    let time = parse_time(text)?;
    Ok(if text.contains('T') { time } else { time.saturating_add(Duration::DAY) })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn last_day_of_a_span_belongs_to_it() {
        assert_eq!(parse_end("2030-02-28"), Ok(datetime!(2030-03-01 0:00 UTC)));
        assert_eq!(parse_end("2030-02-28T12:00:00Z"), Ok(datetime!(2030-02-28 12:00 UTC)));
        assert!(parse_end("yesterday").is_err());
    }
}
