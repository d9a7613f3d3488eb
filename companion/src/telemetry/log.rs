//! Setup of the log: its output and format.

use std::io;

use anyhow::{Context, anyhow};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::audit;
use crate::config::{Log, LogFormat};

/// Starts the log of the service, on standard output.
///
/// # Errors
/// If `RUST_LOG` is not a valid filter, or a log has started already.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)
        .context("RUST_LOG is not a valid filter; an example is info,sqlx=warn")?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    let started = match log.format {
        LogFormat::Json => subscriber.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => subscriber.try_init(),
    };
    started.map_err(|error| anyhow!("{error}"))
}

/// Starts the log of a command, on standard error: only audit events, in the format of the service's log.
///
/// # Errors
/// If a log has started already.
pub fn start_for_command(log: &Log) -> anyhow::Result<()> {
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let filter = Targets::new().with_target(audit::TARGET, Level::INFO);
    let registry = tracing_subscriber::registry().with(filter);
    match log.format {
        LogFormat::Json => {
            registry.with(lines.json().flatten_event(true).with_span_list(false)).try_init()?;
        }
        LogFormat::Text => registry.with(lines).try_init()?,
    }
    Ok(())
}
