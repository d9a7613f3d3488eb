//! Status of one `GET` request, which shows if a part of the stack responds.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);
/// Number of connections in a row that is taken for every worker of an Envoy. Chosen: with two workers, all of them meet
/// the same one once in 32,768 times.
const EVERYWHERE: usize = 16;

/// Returns the status of `GET path` at a port of the loopback; `None` without a response.
#[must_use]
pub fn status(port: u16, path: &str) -> Option<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, LIMIT).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    stream.set_write_timeout(Some(LIMIT)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    line.split(' ').nth(1)?.parse().ok()
}

/// `true` if every worker of an Envoy responds with this status: each has its own state, and any may take a connection.
#[must_use]
pub fn is_status_everywhere(port: u16, path: &str, expected: u16) -> bool {
    (0..EVERYWHERE).all(|_| status(port, path) == Some(expected))
}
