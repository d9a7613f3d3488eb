//! Spans of SQL statements, made of the events that sqlx logs after each, by the semantic conventions for databases.
//! Statements are exported without their parameters, which sqlx does not log either.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::dispatcher::WeakDispatch;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::layer::Context;
use tracing_subscriber::{Layer, Registry};

/// Target of sqlx's events.
pub(super) const TARGET: &str = "sqlx::query";

/// Operations that a summary has wherever they are in a statement. Others count as its first word.
const OPERATIONS: [&str; 4] = ["select", "insert", "update", "delete"];
/// Maximum number of operations in a summary. Chosen: well below the limit of 255 characters.
const MAX_PARTS: usize = 6;

/// Layer that makes a span of each event of sqlx, as a child of the request's.
pub(super) struct SqlSpans {
    tracer: SdkTracer,
    dispatch: OnceLock<WeakDispatch>,
}

impl SqlSpans {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self { tracer, dispatch: OnceLock::new() }
    }
}

impl Layer<Registry> for SqlSpans {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, Registry>) {
        let Some(request) = context.lookup_current() else { return };
        let Some(dispatch) = self.dispatch.get().and_then(WeakDispatch::upgrade) else { return };
        let Some(parent) = get_otel_context(&request.id(), &dispatch) else { return };
        if !parent.span().span_context().is_sampled() {
            return;
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        let text = if statement.text.is_empty() { &statement.summary } else { &statement.text };
        // The clock of all spans, which the SDK reads by itself.
        let (ended, summary) = (opentelemetry::time::now(), summarize(text));
        let operation = summary.split(' ').next().unwrap_or_default().to_owned();
        let mut span = self
            .tracer
            .span_builder(summary.clone())
            .with_kind(SpanKind::Client)
            .with_start_time(ended.checked_sub(statement.took).unwrap_or(ended))
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.operation.name", operation),
                KeyValue::new("db.query.summary", summary),
                KeyValue::new("db.query.text", text.trim().to_owned()),
            ])
            .start_with_context(&self.tracer, &parent);
        span.end_with_timestamp(ended);
    }
}

/// Fields of an event.
#[derive(Default)]
struct Statement {
    /// First words; the whole statement if it has no more.
    summary: String,
    /// Whole statement, if it is longer.
    text: String,
    took: Duration,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.text),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.took = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Returns the operations of a statement with their tables, in its order and each once:
/// `UPDATE refresh_tokens INSERT revocations`.
fn summarize(statement: &str) -> String {
    let is_other = |char: char| !char.is_ascii_alphanumeric() && char != '_';
    let mut parts: Vec<String> = Vec::new();
    let (mut former, mut before) = ("", "");
    for word in statement.split(is_other).filter(|word| !word.is_empty()) {
        // `for update` locks, and `on conflict do update` belongs to its `insert`.
        if ["for", "do"].into_iter().any(|lead| before.eq_ignore_ascii_case(lead)) {
            (former, before) = ("", "conflict");
            continue;
        }
        let is_operation = OPERATIONS.into_iter().any(|operation| word.eq_ignore_ascii_case(operation));
        match before.to_ascii_lowercase().as_str() {
            // `extract(epoch from …)` names no table.
            "from" if former.eq_ignore_ascii_case("epoch") => {}
            "from" | "into" | "join" | "update" if !is_operation => {
                if let Some(part) = parts.last_mut() {
                    *part = format!("{part} {word}");
                }
            }
            _ if is_operation => parts.push(word.to_ascii_uppercase()),
            _ if before.is_empty() && !word.eq_ignore_ascii_case("with") => {
                parts.push(word.to_ascii_uppercase());
            }
            _ => {}
        }
        (former, before) = (before, word);
    }
    let mut summary: Vec<String> = Vec::new();
    for part in parts {
        if !summary.contains(&part) && summary.len() < MAX_PARTS {
            summary.push(part);
        }
    }
    summary.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_has_the_operations_and_their_tables() {
        for (statement, expected) in [
            ("BEGIN", "BEGIN"),
            ("select 1", "SELECT"),
            ("set statement_timeout = '5s'; set lock_timeout = '5s'", "SET"),
            ("select id from users where id = $1 for update", "SELECT users"),
            ("update users set role = $1 where id = $2", "UPDATE users"),
            ("select a from refresh_tokens join users on users.id = user_id", "SELECT refresh_tokens users"),
            (
                "with ended as (delete from refresh_tokens where id = $1 returning id)\n insert into revocations (id) select id from ended",
                "DELETE refresh_tokens INSERT revocations SELECT ended",
            ),
            (
                "select id from users where floor(extract(epoch from created_at)) < (select max(id) from users)",
                "SELECT users",
            ),
            ("select a from x where b = (select a from x)", "SELECT x"),
            (
                "insert into attempts (key) values ($1) on conflict (key) do update set at = $2",
                "INSERT attempts",
            ),
        ] {
            assert_eq!(summarize(statement), expected, "{statement}");
        }
    }
}
