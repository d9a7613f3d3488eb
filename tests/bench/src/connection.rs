//! Connection to the API of the companion. It uses no client library: clients and companion share the processors, and the
//! work of a library would distort the result.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result};

/// Connection that stays open between requests.
pub(super) struct Connection(BufReader<TcpStream>);

/// Response, read to its end.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) access_token: Option<String>,
    pub(super) refresh_token: Option<String>,
}

impl Connection {
    /// Connects to the companion's port.
    pub(super) fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request to `/api/auth/<call>` with these header lines, and a body of JSON unless it is empty.
    pub(super) fn send(&mut self, method: &str, call: &str, headers: &str, body: &str) -> Result<Response> {
        let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        let length = body.len();
        let request = format!(
            "{method} /api/auth/{call} HTTP/1.1\r\nhost: a\r\n{headers}{kind}content-length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no status")?.parse()?;
        let (mut response, mut length) = (Response { status, access_token: None, refresh_token: None }, 0);
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let token = |name: &str| {
                line.strip_prefix("set-cookie: ")?.strip_prefix(name)?.split(';').next().map(str::to_owned)
            };
            if let Some(token) = token("access_token=") {
                response.access_token = Some(token);
            } else if let Some(token) = token("refresh_token=") {
                response.refresh_token = Some(token);
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            } else if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(response)
    }
}
