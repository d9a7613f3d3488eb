//! Setup of the log: its output and format. Traces are further layers of the same subscriber.

use std::io;

use anyhow::{Context, anyhow};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

use super::audit;
use super::traces::{self, BoxedLayer, Traces};
use crate::config::{Log, LogFormat};

/// Part of the filter that `RUST_LOG` may replace: the library of passkeys logs what it cannot parse, at ERROR and with the bytes
/// that anybody has sent.
const QUIET: &str = "webauthn_rs_core=off,";

/// Starts the log of the service, on standard output, and the spans of traces if they are exported.
///
/// # Errors
/// If `RUST_LOG` is not a valid filter, or a log has started already.
pub fn start(log: &Log, traces: Option<&Traces>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET}{}", log.filter))
        .context("RUST_LOG is not a valid filter; an example is info,sqlx=warn")?;
    start_with(log.format, filter, BoxMakeWriter::new(io::stdout), traces.map(Traces::layer))
}

/// Starts the log of a command, on standard error: only audit events, in the format of the service's log.
///
/// # Errors
/// If a log has started already.
pub fn start_for_command(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::new(format!("{}=info", audit::TARGET));
    start_with(log.format, filter, BoxMakeWriter::new(io::stderr), None)
}

fn start_with(
    format: LogFormat,
    filter: EnvFilter,
    writer: BoxMakeWriter,
    traces: Option<BoxedLayer>,
) -> anyhow::Result<()> {
    let lines = fmt::layer().with_writer(writer).with_ansi(false);
    // With the hint, that of `RUST_LOG` stays in effect: what is less than its level costs one comparison.
    let is_of_lines =
        filter_fn(|metadata| !traces::is_part(metadata)).with_max_level_hint(LevelFilter::TRACE);
    let filter = filter.and(is_of_lines);
    // The filter is of the lines alone: spans are exported however little is logged.
    let lines: BoxedLayer = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
        LogFormat::Text => lines.with_filter(filter).boxed(),
    };
    // One layer: a `Vec` of layers and an `Option` of one do not pass on `on_register_dispatch`.
    let layer = match traces {
        Some(traces) => lines.and_then(traces).boxed(),
        None => lines,
    };
    registry().with(layer).try_init().map_err(|error| anyhow!("{error}"))
}
