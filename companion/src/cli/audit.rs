//! `edgeward audit`.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::user::describe;
use super::{connect, print_line, read_settings, time_of};
use crate::clock::Clock;
use crate::config::{Database, Log, Reader, Section};
use crate::domain::account::user_ref::UserRef;
use crate::domain::audit::Entry;
use crate::domain::audit::list::{AuditFilter, ListedEntry, parse_actor, parse_event, parse_time};
use crate::domain::page::PageSize;
use crate::service::{Context, account, audit_log};
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

/// Settings of this command.
struct Settings {
    database: Database,
    log: Log,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, log) = (Database::read(reader), Log::read(reader));
        Some(Self { database: database?, log: log? })
    }
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
        if !json {
            print_line(format_args!(
                "{:<20}  {:<20}  {:<12}  {:>8}  {:>8}  {:<18}  DETAILS",
                "TIME", "EVENT", "ACTOR", "USER", "SESSION", "NETWORK"
            ))?;
        }
        print_entries(context, &filter, limit, if json { print_json } else { print_row }).await
    }
}

/// Prints the newest entries, a page at a time.
async fn print_entries(
    context: &Context,
    filter: &AuditFilter,
    limit: u32,
    print: fn(&ListedEntry) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut left, mut before) = (usize::try_from(limit)?, None);
    loop {
        let page = audit_log::list(context, filter, before, PageSize::MAX).await?;
        for entry in page.items.iter().take(left) {
            print(entry)?;
        }
        left = left.saturating_sub(page.items.len());
        match page.next {
            Some(next) if left > 0 => before = Some(next),
            _ => return Ok(()),
        }
    }
}

fn print_row(listed: &ListedEntry) -> anyhow::Result<()> {
    let Entry { event, actor, user_id, session_id, client_prefix, details, .. } = &listed.entry;
    let at = time_of(listed.entry.at);
    let user = user_id.map(|id| id.to_string()).unwrap_or_default();
    let session = session_id.map(|id| id.to_string()).unwrap_or_default();
    let network = client_prefix.as_deref().unwrap_or_default();
    print_line(format_args!(
        "{at:<20}  {event:<20}  {actor:<12}  {user:>8}  {session:>8}  {network:<18}  {details}"
    ))
}

fn print_json(listed: &ListedEntry) -> anyhow::Result<()> {
    let Entry { at, event, actor, user_id, session_id, request_id, client_prefix, details, .. } =
        &listed.entry;
    let details: &RawValue = serde_json::from_str(details)?;
    print_line(json!({
        "id": listed.id, "at": time_of(*at), "event": event, "actor": actor, "user_id": user_id,
        "session_id": session_id, "request_id": request_id, "client_prefix": client_prefix, "details": details,
    }))
}
