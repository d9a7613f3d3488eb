//! `edgeward session list|end`.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::list::{Column, Table};
use super::user::describe;
use super::{connect, print_line, read_settings};
use crate::clock::Clock;
use crate::config::{Database, Log, Reader, Section, SessionAge};
use crate::domain::SessionId;
use crate::domain::account::user_ref::UserRef;
use crate::domain::time::format_seconds;
use crate::service::session;
use crate::telemetry::log;

#[derive(Subcommand)]
pub(super) enum Session {
    /// List a user's sessions, the hundred used last
    List {
        /// E-mail address or ID of the user
        user: UserRef,
    },
    /// End sessions of a user; the edge rejects their tokens from its next poll on
    End {
        /// E-mail address or ID of the user
        user: UserRef,
        #[command(flatten)]
        chosen: Chosen,
    },
}

/// Sessions that end.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Chosen {
    /// ID of a session that ends; may be repeated
    #[arg(long = "session", value_name = "ID")]
    sessions: Vec<SessionId>,
    /// End all sessions of the user, and have every token of theirs rejected
    #[arg(long)]
    all: bool,
}

/// Settings of these commands.
struct Settings {
    database: Database,
    max_age: SessionAge,
    log: Log,
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (database, max_age, log) = (Database::read(reader), SessionAge::read(reader), Log::read(reader));
        Some(Self { database: database?, max_age: max_age?, log: log? })
    }
}

impl Session {
    pub(super) async fn run(self, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
        let Settings { database, max_age, log } = read_settings()?;
        log::start_for_command(&log)?;
        let context = &connect::open(&database, clock).await?;
        match self {
            Self::List { user } => {
                let listed = session::list_of(context, &user, max_age.0).await;
                let (_, sessions) = listed.map_err(describe(&user))?;
                let table = Table::begin([
                    ("ID", Column::Number(8)),
                    ("START", Column::Text(20)),
                    ("LAST USE", Column::Text(20)),
                    ("NETWORK", Column::Text(20)),
                    ("DEVICE", Column::Last),
                ])?;
                sessions.into_iter().try_for_each(|session| {
                    table.print([
                        session.id.to_string(),
                        format_seconds(session.created_at),
                        format_seconds(session.updated_at),
                        session.address_prefix.unwrap_or_default(),
                        session.device.unwrap_or_default(),
                    ])
                })
            }
            Self::End { user, chosen: Chosen { sessions, all } } => {
                let chosen: BTreeSet<SessionId> = sessions.into_iter().collect();
                let ended = session::end_of(context, &user, (!all).then_some(&chosen)).await;
                let (id, ended) = ended.map_err(describe(&user))?;
                print_line(format_args!("user {id}: sessions ended: {ended}"))
            }
        }
    }
}
