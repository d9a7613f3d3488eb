//! Telling on standard error what a command wrote into the audit log, as the service's log will have it.

use std::io;

use tracing::subscriber::with_default;

use crate::auditing;
use crate::config::{Log, LogFormat};
use crate::domain::audit::Entry;

/// Prints one line, in the form that `LOG_FORMAT` says.
pub(super) fn tell(log: &Log, entry: &Entry) {
    let subscriber = tracing_subscriber::fmt().with_writer(io::stderr);
    match log.format {
        LogFormat::Json => {
            with_default(subscriber.json().flatten_event(true).finish(), || auditing::log(entry));
        }
        LogFormat::Text => with_default(subscriber.with_ansi(false).finish(), || auditing::log(entry)),
    }
}
