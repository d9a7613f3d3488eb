//! Client that refreshes its sessions over one connection.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use edgeward_kit::client::{Client, PASSWORD};
use tokio::runtime::Runtime;

use super::SESSIONS;
use crate::connection::Connection;

/// Client with many sessions.
pub(super) struct Refresher {
    port: u16,
    connection: Connection,
    pub(super) tokens: Vec<String>,
}

impl Refresher {
    /// Registers a user at the companion's port, and logs in until there are enough sessions.
    pub(super) fn sign_in(port: u16, number: usize) -> Result<Self> {
        let mut client = Client::new(format!("127.0.0.1:{port}"), reqwest::Client::new());
        let email = format!("person{number}@example.com");
        let tokens = Runtime::new()?.block_on(async {
            let mut tokens = Vec::new();
            for index in 0..SESSIONS {
                let response = if index == 0 {
                    client.register(&email).await
                } else {
                    client.login(&email, PASSWORD).await
                };
                let token = client.cookies.remove("refresh_token");
                tokens.push(token.with_context(|| format!("no token in the response {response}"))?);
            }
            anyhow::Ok(tokens)
        })?;
        Ok(Self { port, connection: Connection::open(port)?, tokens })
    }

    /// Refreshes one session after the other, and returns the response times.
    pub(super) fn run_until(&mut self, end: Instant) -> Result<Vec<Duration>> {
        // The connection of the first client has been idle while the others signed in, and may be closed.
        self.connection = Connection::open(self.port)?;
        let mut latencies = Vec::new();
        for index in (0..SESSIONS).cycle() {
            let start = Instant::now();
            if start > end {
                break;
            }
            let (_, token) = self.post("refresh", &cookie(&self.tokens[index]))?;
            self.tokens[index] = token.context("a refresh gave no token")?;
            latencies.push(start.elapsed());
        }
        Ok(latencies)
    }

    /// Sends a request without a body, and returns the status and the refresh token of the response.
    pub(super) fn post(&mut self, call: &str, headers: &str) -> Result<(u16, Option<String>)> {
        let response = self.connection.send("POST", call, headers, "")?;
        Ok((response.status, response.refresh_token))
    }
}

/// Returns the header line with a refresh token.
pub(super) fn cookie(token: &str) -> String {
    format!("cookie: refresh_token={token}\r\n")
}
