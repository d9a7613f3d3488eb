//! Load: connections that stay open. Each sends its next request as soon as it has the last response. Any status but 200
//! ends the run.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::request::Template;

/// Requests to send.
pub(super) struct Work {
    pub(super) template: Template,
    pub(super) tokens: Arc<[String]>,
    /// Number of distinct tokens, sent in turn.
    pub(super) distinct: usize,
    /// Requests sent so far, over all rounds.
    sent: AtomicUsize,
}

/// Outcome of one round.
pub(super) struct Pace {
    pub(super) elapsed: Duration,
    /// Response times, the shortest first.
    pub(super) latencies: Vec<Duration>,
}

impl Work {
    pub(super) fn new(template: Template, tokens: Arc<[String]>, distinct: usize) -> Self {
        Self { template, tokens, distinct, sent: AtomicUsize::new(0) }
    }

    /// Sends a number of requests over these connections, which stay open.
    pub(super) async fn send(
        self: &Arc<Self>,
        connections: &mut Vec<TcpStream>,
        requests: usize,
    ) -> Result<Pace> {
        let end = self.sent.load(Ordering::Relaxed) + requests;
        let start = Instant::now();
        let mut clients = JoinSet::new();
        for stream in connections.drain(..) {
            clients.spawn(Arc::clone(self).run(stream, end));
        }
        let mut latencies = Vec::with_capacity(requests);
        while let Some(client) = clients.join_next().await {
            let (stream, taken) = client??;
            connections.push(stream);
            latencies.extend(taken);
        }
        let elapsed = start.elapsed();
        // Each connection has counted one request more than it sent.
        self.sent.store(end, Ordering::Relaxed);
        latencies.sort_unstable();
        Ok(Pace { elapsed, latencies })
    }

    async fn run(self: Arc<Self>, mut stream: TcpStream, end: usize) -> Result<(TcpStream, Vec<Duration>)> {
        let (mut request, mut response, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let at = self.sent.fetch_add(1, Ordering::Relaxed);
            if at >= end {
                return Ok((stream, latencies));
            }
            self.template.render(&self.tokens[at % self.distinct], &mut request);
            let start = Instant::now();
            let status = exchange(&mut stream, &request, &mut response).await?;
            latencies.push(start.elapsed());
            if status != 200 {
                bail!("the status is {status} under load:\n{}", String::from_utf8_lossy(&response));
            }
        }
    }
}

/// Connects to a port of the loopback.
pub(super) async fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.context("cannot connect to Envoy")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads the whole response. Returns the status.
pub(super) async fn exchange(stream: &mut TcpStream, request: &[u8], response: &mut Vec<u8>) -> Result<u16> {
    stream.write_all(request).await?;
    response.clear();
    loop {
        if stream.read_buf(response).await? == 0 {
            bail!("Envoy has closed the connection after `{}`", String::from_utf8_lossy(response));
        }
        if let Some(status) = complete_status(response)? {
            return Ok(status);
        }
    }
}

/// Returns the status of a response, `None` until it is complete.
fn complete_status(response: &[u8]) -> Result<Option<u16>> {
    let Some(end) = response.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&response[..end])?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("a response without content-length")?.parse()?;
    let status = head.split(' ').nth(1).context("a response without status")?.parse()?;
    Ok((response.len() >= end + 4 + length).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_is_complete_with_its_body() {
        for (response, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-len", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n", Some(200)),
            ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", Some(401)),
        ] {
            assert_eq!(complete_status(response.as_bytes()).unwrap(), expected, "{response}");
        }
        assert!(complete_status(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
