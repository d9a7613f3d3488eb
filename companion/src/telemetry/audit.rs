//! Audit events as log lines, under the target `audit`, and as counts.

use super::metrics::Metrics;
use crate::domain::audit::Entry;
use crate::domain::caller::Caller;

/// Target (`tracing`) of the log lines.
pub const TARGET: &str = "audit";

/// Writes one log line for an entry, and counts it.
pub fn report(metrics: &Metrics, entry: &Entry, caller: &Caller) {
    metrics.count_event(entry.label(), entry.reason);
    log(entry, caller);
}

/// Writes one log line for an entry.
pub fn log(entry: &Entry, caller: &Caller) {
    let Entry { at, event, reason, actor, user_id, session_id, request_id, client_prefix, details } = entry;
    let request = caller.request.as_ref();
    tracing::info!(
        target: TARGET,
        event,
        reason,
        actor,
        user_id = user_id.map(|id| id.0),
        session_id = session_id.map(|id| id.0),
        request_id,
        client = request.and_then(|request| request.peer).map(tracing::field::display),
        forwarded_for = request.and_then(|request| request.forwarded_for.as_deref()),
        client_prefix,
        details,
        at = at.unix_timestamp(),
        "{event}"
    );
}
