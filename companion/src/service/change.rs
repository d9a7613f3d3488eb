//! A change of accounts or sessions: one transaction, with the audit events of what it does.

use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;

use super::Context;
use crate::db::audit_log;
use crate::domain::audit::{Entry, Event};
use crate::domain::caller::Actor;
use crate::domain::{SessionId, UserId};
use crate::telemetry::audit;

/// Transaction that is rolled back unless it is committed. Its events are rows of it, and are logged and counted after
/// the commit.
pub(super) struct Change<'a> {
    pub(super) context: &'a Context,
    transaction: Transaction<'static, Postgres>,
    entries: Vec<Entry>,
}

impl<'a> Change<'a> {
    pub(super) fn new(context: &'a Context, transaction: Transaction<'static, Postgres>) -> Self {
        Self { context, transaction, entries: Vec::new() }
    }

    /// The connection of the transaction.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Writes what the transaction does into the audit log.
    pub(super) async fn record(
        &mut self,
        at: OffsetDateTime,
        event: &Event,
        user_id: UserId,
        session_id: Option<SessionId>,
    ) -> Result<(), sqlx::Error> {
        let caller = &self.context.caller;
        let entry = Entry::new(at, caller, event, Some(user_id), session_id);
        // A command has neither a log that lasts nor metrics: a running service reports what it did.
        let is_reported = caller.actor != Actor::CommandLine;
        audit_log::insert(&mut self.transaction, &entry, is_reported).await?;
        self.entries.push(entry);
        Ok(())
    }

    /// Commits, and reports the events.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        let Self { context, transaction, entries } = self;
        transaction.commit().await?;
        for entry in &entries {
            audit::report(&context.metrics, entry, &context.caller);
        }
        Ok(())
    }
}
