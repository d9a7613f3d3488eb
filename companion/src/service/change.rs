//! A change of accounts, sessions or keys: one transaction, with the audit events of what it does.

use std::mem;

use time::OffsetDateTime;

use super::{Context, Error, detached, mail};
use crate::db::audit_log;
use crate::db::connection::Connection;
use crate::db::pooled_connection::PooledConnection;
use crate::domain::audit::{Entry, Event};
use crate::domain::caller::Actor;
use crate::domain::mail::Notice;
use crate::domain::{SessionId, UserId};
use crate::telemetry::audit;

/// Transaction that is rolled back unless it is committed. Its events are rows of it, and are logged and counted after
/// the commit.
pub(super) struct Change<'a> {
    pub(super) context: &'a Context,
    connection: PooledConnection,
    entries: Vec<Entry>,
    notices: Vec<(UserId, Option<SessionId>, Notice)>,
}

impl<'a> Change<'a> {
    pub(super) fn new(context: &'a Context, connection: PooledConnection) -> Self {
        Self { context, connection, entries: Vec::new(), notices: Vec::new() }
    }

    /// Returns the connection of the transaction.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Records an event, which becomes a row with the commit, and a mail if its user is told of such events. One mail of a kind
    /// is enough: recovery codes come with the first app.
    pub(super) fn record(
        &mut self,
        at: OffsetDateTime,
        event: &Event,
        user_id: UserId,
        session_id: Option<SessionId>,
    ) {
        if let Some(notice) = Notice::of(event, at)
            && self.notices.iter().all(|(to, _, other)| *to != user_id || other.kind != notice.kind)
        {
            self.notices.push((user_id, session_id, notice));
        }
        self.entries.push(Entry::new(at, &self.context.caller, event, Some(user_id), session_id));
    }

    /// Records an event that concerns no user.
    pub(super) fn record_without_user(&mut self, at: OffsetDateTime, event: &Event) {
        self.entries.push(Entry::new(at, &self.context.caller, event, None, None));
    }

    /// Writes the notices and the events, commits, and reports the events. A client that hangs up does not stop the commit.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        for (user_id, session_id, notice) in mem::take(&mut self.notices) {
            mail::notify(&mut self, user_id, session_id, &notice).await?;
        }
        let Self { context, mut connection, entries, .. } = self;
        let context = context.clone();
        detached(&context.clone(), async move {
            let Context { metrics, caller, .. } = &context;
            // A command has neither a log that lasts nor metrics: a running service reports what it did.
            let is_reported = caller.actor != Actor::CommandLine;
            audit_log::insert_all(&mut connection, &entries, is_reported).await?;
            connection.commit().await?;
            for entry in &entries {
                audit::report(metrics, entry, caller);
            }
            Ok(())
        })
        .await
    }
}
