//! Client that refreshes its sessions over one connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use edgeward_kit::client::{Client, PASSWORD};
use tokio::runtime::Runtime;

use super::SESSIONS;

/// Client with many sessions. It uses no client library: clients and companion share the processors, and the work of a
/// library would distort the result.
pub(super) struct Refresher {
    port: u16,
    connection: BufReader<TcpStream>,
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
        Ok(Self { port, connection: connect(port)?, tokens })
    }

    /// Refreshes one session after the other, and returns the response times.
    pub(super) fn run_until(&mut self, end: Instant) -> Result<Vec<Duration>> {
        // The connection of the first client has been idle while the others signed in, and may be closed.
        self.connection = connect(self.port)?;
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
        let request =
            format!("POST /api/auth/{call} HTTP/1.1\r\nhost: a\r\n{headers}content-length: 0\r\n\r\n");
        self.connection.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut token, mut length) = (String::new(), None, 0);
        self.connection.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no status")?.parse()?;
        loop {
            line.clear();
            self.connection.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("set-cookie: refresh_token=") {
                token = value.split(';').next().map(str::to_owned);
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            } else if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok((status, token))
    }
}

fn connect(port: u16) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Returns the header line with a refresh token.
pub(super) fn cookie(token: &str) -> String {
    format!("cookie: refresh_token={token}\r\n")
}
