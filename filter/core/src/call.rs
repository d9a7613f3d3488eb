//! HTTP calls to the companion, as commands to the shell, and their outcomes.

use std::fmt;
use std::time::Duration;

/// Call to a cluster. It has no body. `Debug` does not show the header fields, as they carry secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// Method.
    pub method: &'static str,
    /// Path, with a query if there is one.
    pub path: String,
    /// Header fields, beside the pseudo-header fields.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// Time after which the host gives the call up.
    pub timeout: Duration,
}

/// Outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome<'a> {
    /// There is a response.
    Response {
        /// Value of `:status`.
        status: &'a [u8],
        /// Body.
        body: &'a [u8],
    },
    /// There is none: a timeout, or the connection broke.
    NoResponse,
    /// The host did not take the call.
    NotAccepted,
}

impl fmt::Debug for HttpCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, method, path, .. } = self;
        formatter
            .debug_struct("HttpCall")
            .field("cluster", cluster)
            .field("method", method)
            .field("path", path)
            .finish_non_exhaustive()
    }
}
