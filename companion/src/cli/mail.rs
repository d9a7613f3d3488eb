//! `edgeward mail list|retry`.

use std::sync::Arc;

use clap::Subcommand;

use super::connect::{self, Settings};
use super::list::{Column, Table};
use super::{print_line, read_settings};
use crate::clock::Clock;
use crate::domain::time::format_seconds;
use crate::service::mail;
use crate::telemetry::log;

#[derive(Subcommand)]
pub(super) enum Mail {
    /// List the mails that were given up, the newest first, at most 100
    List,
    /// Have mails that were given up tried again, unless they are of no use any more
    Retry {
        /// ID of the mail; all without it
        id: Option<i64>,
    },
}

impl Mail {
    pub(super) async fn run(self, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
        let Settings { database, log } = read_settings()?;
        log::start_for_command(&log)?;
        let context = &connect::open(&database, clock).await?;
        match self {
            Self::List => {
                let table = Table::begin([
                    ("ID", Column::Number(8)),
                    ("GIVEN UP", Column::Text(20)),
                    ("KIND", Column::Text(16)),
                    ("ATTEMPTS", Column::Number(8)),
                    ("RECIPIENT", Column::Text(30)),
                    ("REASON", Column::Last),
                ])?;
                mail::list(context).await?.into_iter().try_for_each(|mail| {
                    table.print([
                        mail.id.to_string(),
                        format_seconds(mail.given_up_at),
                        mail.kind,
                        mail.attempts.to_string(),
                        mail.recipient.as_str().to_owned(),
                        mail.last_error.unwrap_or_default(),
                    ])
                })
            }
            Self::Retry { id } => {
                let count = mail::retry(context, id).await?;
                print_line(format_args!("mails that are tried again: {count}"))
            }
        }
    }
}
