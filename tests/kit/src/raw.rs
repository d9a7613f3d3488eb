//! Raw bytes as requests of HTTP/1.1, and the responses to them: for clients that break the rules.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Maximum time for all responses of a connection. It is longer than every limit of the companion.
const LIMIT: Duration = Duration::from_secs(40);

/// Writes a request head of HTTP/1.1 that asks to close the connection. `fields` are whole lines.
#[must_use]
pub fn head(method: &str, target: &str, fields: impl AsRef<[u8]>) -> Vec<u8> {
    let line = format!("{method} {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
    [line.as_bytes(), fields.as_ref(), b"\r\n"].concat()
}

/// Writes a `POST` request with a JSON body.
#[must_use]
pub fn post_json(path: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let fields = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    [&head("POST", path, fields), body].concat()
}

/// Sends bytes over a new connection, and returns the responses until the server closes it, as [`summarize`] does.
pub async fn exchange(address: SocketAddr, sent: &[u8]) -> Vec<String> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut received = Vec::new();
    let exchanged = async {
        let (mut reader, mut writer) = stream.split();
        // Unread bytes may end the connection with a reset, while others are still being written.
        let write = async { _ = writer.write_all(sent).await };
        let read = async { _ = reader.read_to_end(&mut received).await };
        tokio::join!(write, read);
    };
    timeout(LIMIT, exchanged).await.expect("an end of the connection");
    summarize(&received)
}

/// Reads responses: each as its status and the codes of its errors (`401 not_signed_in`). A body that is not in the shape of
/// the API, or a header field that is missing, fails.
#[must_use]
pub fn summarize(mut received: &[u8]) -> Vec<String> {
    let mut responses = Vec::new();
    while !received.is_empty() {
        let end = received.windows(4).position(|part| part == b"\r\n\r\n").expect("a whole head") + 4;
        let head = str::from_utf8(&received[..end]).expect("a head of ASCII").to_ascii_lowercase();
        let status = head.split(' ').nth(1).expect("a status").to_owned();
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length = field("content-length").map_or(0, |length| length.parse().expect("a length"));
        let body = &received[end..end + length];
        received = &received[end + length..];
        let is_json = field("content-type").is_some_and(|kind| kind == "application/json");
        responses.push(if body.is_empty() || !is_json { status } else { describe(&status, &head, body) });
    }
    responses
}

fn describe(status: &str, head: &str, body: &[u8]) -> String {
    for field in ["x-request-id: ", "x-content-type-options: nosniff", "cache-control: "] {
        assert!(head.contains(field), "{field} in {head}");
    }
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if status >= "400" {
        assert!(body["message"].is_string() && !errors.is_empty(), "{body}");
    }
    let codes = errors.iter().map(|error| error["code"].as_str().expect("a code"));
    [status].into_iter().chain(codes).collect::<Vec<_>>().join(" ")
}
