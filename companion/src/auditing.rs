//! Reports what commands wrote into the audit log: of several services exactly one writes each entry into its own log
//! and counts it. The entry is claimed first, so a service that ends in between leaves it in the table alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::db::audit_log;
use crate::domain::audit::Entry;
use crate::metrics::METRICS;

/// Interval between two looks. One costs one read of an index that is empty nearly always.
const EVERY: Duration = Duration::from_secs(1);

/// Reports until `stop` turns true.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let reported = report_pending(&app).await;
        // Told once: not again before it has worked.
        if let (Err(cause), false) = (&reported, failed) {
            tracing::warn!(%cause, "the audit log is not read for now");
        }
        failed = reported.is_err();
    }
}

/// Reports what is not reported yet.
pub async fn report_pending(app: &App) -> Result<(), sqlx::Error> {
    loop {
        let entries = audit_log::claim_unreported(&mut *app.pool.acquire().await?).await?;
        if entries.is_empty() {
            return Ok(());
        }
        entries.iter().for_each(report);
    }
}

/// Writes an entry into the log, and counts it.
pub fn report(entry: &Entry) {
    METRICS.count_event(entry.label(), None);
    log(entry);
}

/// Writes an entry into the log.
pub fn log(entry: &Entry) {
    let Entry { at, event, actor, user_id, session_id, request_id, client_prefix, details } = entry;
    tracing::info!(
        target: "audit",
        event,
        actor,
        user_id,
        session_id,
        request_id,
        client_prefix,
        details,
        at = at.unix_timestamp(),
        "{event}"
    );
}
