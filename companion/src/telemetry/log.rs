//! Setup of the log: its output and format.

use std::io;

use anyhow::{Context, anyhow};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::audit;
use crate::config::{Log, LogFormat};

/// Starts the log of the service, on standard output.
///
/// # Errors
/// If `RUST_LOG` is not a valid filter, or a log has started already.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)
        .context("RUST_LOG is not a valid filter; an example is info,sqlx=warn")?;
    start_with(log.format, filter, BoxMakeWriter::new(io::stdout))
}

/// Starts the log of a command, on standard error: only audit events, in the format of the service's log.
///
/// # Errors
/// If a log has started already.
pub fn start_for_command(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::new(format!("{}=info", audit::TARGET));
    start_with(log.format, filter, BoxMakeWriter::new(io::stderr))
}

fn start_with(format: LogFormat, filter: EnvFilter, writer: BoxMakeWriter) -> anyhow::Result<()> {
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    let started = match format {
        LogFormat::Json => subscriber.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => subscriber.try_init(),
    };
    started.map_err(|error| anyhow!("{error}"))
}
