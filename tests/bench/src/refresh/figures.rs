//! Figures of refreshes, and their lines in the report.

use std::fmt;
use std::time::Duration;

use super::CLIENTS;

/// Figures of simultaneous clients.
pub(super) struct Rate {
    /// Refreshes a second.
    pub(super) per_second: f64,
    /// Median and 99th percentile of the response time.
    pub(super) latency: [Duration; 2],
    /// Processor time of a refresh in the companion, in Postgres and in the clients.
    pub(super) cpu: [Duration; 3],
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [companion, postgres, clients] = self.cpu.map(|time| time.as_micros());
        let [median, slow] = self.latency.map(|time| time.as_secs_f64() * 1000.0);
        write!(
            f,
            "{:.0} refreshes/s by {CLIENTS} clients; {median:.1} ms, p99 {slow:.1} ms; processor time of each: \
             companion {companion} µs, Postgres {postgres} µs, clients {clients} µs",
            self.per_second
        )
    }
}

/// Median times of the steps of a refresh, each with all steps before it.
pub(super) struct Steps {
    /// A request without a token: HTTP and the log.
    pub(super) without_token: Duration,
    /// One whose session is over: also the statement, a round trip that finds no row.
    pub(super) ended_session: Duration,
    /// A refresh: the rows are written, the transaction is committed, the tokens are signed.
    pub(super) refreshed: Duration,
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [without_token, ended_session, refreshed] =
            [self.without_token, self.ended_session, self.refreshed].map(|time| time.as_micros());
        write!(
            f,
            "HTTP {without_token} µs; with the round trip to Postgres {ended_session} µs; with row, commit and signature {refreshed} µs"
        )
    }
}
