//! `edgeward audit`.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::connect::{self, Settings};
use super::list::{Column, Table, for_each};
use super::user::describe;
use super::{print_line, read_settings};
use crate::clock::Clock;
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Entry;
use crate::domain::audit::list::{AuditFilter, ListedEntry, parse_actor, parse_event};
use crate::domain::page::PageSize;
use crate::domain::time::{format_seconds, parse_time};
use crate::service::{account, audit_log};
use crate::telemetry::log;

#[derive(Args)]
pub(super) struct Audit {
    /// E-mail address or ID of the user that the entries concern; a deleted user has an ID alone
    #[arg(long)]
    user: Option<UserRef>,
    /// Name of the event, such as `role_changed`
    #[arg(long, value_parser = parse_event)]
    event: Option<&'static str>,
    /// Kind of the actor: `user`, `admin`, `command_line`, `system` or `stranger`
    #[arg(long, value_parser = parse_actor)]
    actor: Option<&'static str>,
    /// Time of the oldest entry, as 2030-01-31T15:00:00Z or 2030-01-31
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<OffsetDateTime>,
    /// Time before which all entries are, in the same form
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<OffsetDateTime>,
    /// Maximum number of entries, 1 to 100000
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Print a JSON object a line, with the names of the table's columns
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) async fn run(self, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
        let Settings { database, log } = read_settings()?;
        log::start_for_command(&log)?;
        let context = &connect::open(&database, clock).await?;
        let user_id = match &self.user {
            Some(UserRef::Id(id)) => Some(*id),
            Some(user) => Some(account::find(context, user).await.map_err(describe(user))?.id),
            None => None,
        };
        let Self { event, actor, since, until, limit, json, .. } = self;
        let filter = AuditFilter { user_id, event, actor, from: since, until };
        let list = async |before| audit_log::list(context, &filter, before, PageSize::MAX).await;
        let limit = usize::try_from(limit)?;
        if json {
            return for_each(list, limit, |listed| print_json(&listed)).await;
        }
        let table = Table::begin([
            ("TIME", Column::Text(20)),
            ("EVENT", Column::Text(20)),
            ("ACTOR", Column::Text(12)),
            ("USER", Column::Number(8)),
            ("SESSION", Column::Number(8)),
            ("NETWORK", Column::Text(18)),
            ("DETAILS", Column::Last),
        ])?;
        for_each(list, limit, |ListedEntry { entry, .. }| {
            table.print([
                format_seconds(entry.at),
                entry.event,
                entry.actor,
                entry.user_id.map(|id| id.to_string()).unwrap_or_default(),
                entry.session_id.map(|id| id.to_string()).unwrap_or_default(),
                entry.client_prefix.unwrap_or_default(),
                entry.details,
            ])
        })
        .await
    }
}

fn print_json(listed: &ListedEntry) -> anyhow::Result<()> {
    let Entry { at, event, actor, user_id, session_id, request_id, client_prefix, details, .. } =
        &listed.entry;
    let details: &RawValue = serde_json::from_str(details)?;
    print_line(json!({
        "id": listed.id, "at": format_seconds(*at), "event": event, "actor": actor, "user_id": user_id,
        "session_id": session_id, "request_id": request_id, "client_prefix": client_prefix, "details": details,
    }))
}
