//! HTTP calls to clusters, as the machines of this crate ask for them, and their outcomes.

use std::fmt;
use std::time::Duration;

/// Maximum length of a response body that the host reads for a call, in bytes. Chosen: above every limit that a
/// response is judged by, so that a body that was cut here is still too long there.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// HTTP request without a body, to be sent to a cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// Envoy's name of the cluster. It is the `:authority` of the request too.
    pub cluster: String,
    /// Method, in upper case.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Header fields besides the pseudo-headers, with names in lower case. Values may be secrets.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// Time after which the host gives up.
    pub timeout: Duration,
}

/// Outcome of an [`HttpCall`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome<'a> {
    /// The cluster responded.
    Response {
        /// Value of `:status`.
        status: &'a [u8],
        /// Body, cut after [`MAX_BODY_BYTES`]. It may hold secrets.
        body: &'a [u8],
    },
    /// The call was reset, or timed out.
    NoResponse,
    /// The host did not accept the call: there may be no such cluster.
    NotAccepted,
}

// Values of header fields and bodies are never shown: there are secrets among them (invariant 8).
impl fmt::Debug for HttpCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        formatter
            .debug_struct("HttpCall")
            .field("cluster", &self.cluster)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .finish()
    }
}

impl fmt::Debug for CallOutcome<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, body } => {
                write!(formatter, "Response({}, {} bytes)", status.escape_ascii(), body.len())
            }
            Self::NoResponse => formatter.write_str("NoResponse"),
            Self::NotAccepted => formatter.write_str("NotAccepted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // holds: invariant 8, promise 8
    #[test]
    fn debug_output_shows_no_secret() {
        let call = HttpCall {
            cluster: "c".into(),
            method: "GET",
            path: "/internal/edge-feed".into(),
            headers: vec![("authorization", b"Bearer hunter2".to_vec())],
            timeout: Duration::from_secs(1),
        };
        let outcome = CallOutcome::Response { status: b"200", body: b"hunter2" };
        let shown = format!("{call:?} {outcome:?}");
        let bytes = format!("{:?}", b"hunter2");
        assert!(shown.contains("authorization") && shown.contains("7 bytes"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
    }
}
