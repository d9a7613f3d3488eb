//! The limits of a listener, with raw bytes and with an HTTP/2 client.

use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
/// Client connection preface with empty SETTINGS (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
// Types of frames (§6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PING: u8 = 6;
// Flags of HEADERS (§6.2).
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:method: GET`, `:scheme: http` and `:path: /` (RFC 7541, appendix A).
const HEAD: [u8; 3] = [0x82, 0x86, 0x84];

/// Writes a frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Writes a `GET` request, with the path as a literal (RFC 7541 §6.2.2).
fn request(stream: u32, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &[&[0x82, 0x86, 0x04, length], path.as_bytes()].concat())
}

/// Stream identifiers of the first `count` requests of a client (RFC 9113 §5.1.1).
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

/// Sends frames after the preface. Returns `true` if `expected` is received before the connection is closed.
async fn receives(address: SocketAddr, sent: &[Vec<u8>], expected: &[u8]) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[PREFACE.to_vec(), sent.concat()].concat()).await.unwrap();
    let mut received = Vec::new();
    while !received.windows(expected.len()).any(|part| part == expected) {
        if stream.read_buf(&mut received).await.unwrap_or_default() == 0 {
            return false;
        }
    }
    true
}

async fn start(connections: u32, protocol: Protocol) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(async || "here"))
        .route("/much", get(async || vec![0; 64 << 20]))
        .route("/never", get(std::future::pending::<StatusCode>));
    tokio::spawn(async move {
        let (_stop, stopped) = watch::channel(false);
        serve_limited(connections, listener, protocol, router, stopped).await;
    });
    address
}

/// Sends bytes, and returns everything that is received until the connection is closed.
async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    _ = stream.write_all(sent).await;
    let mut response = Vec::new();
    // Unread bytes may end the connection with a reset.
    _ = stream.read_to_end(&mut response).await;
    String::from_utf8_lossy(&response).into_owned()
}

#[tokio::test(start_paused = true)]
async fn silent_connection_is_closed() {
    let check = async |protocol, sent: &[&[u8]], has_response| {
        let (sent, started) = (sent.concat(), Instant::now());
        let case = (protocol, String::from_utf8_lossy(&sent).into_owned());
        assert_eq!(
            exchange(start(1, protocol).await, &sent).await.contains("here"),
            has_response,
            "{case:?}"
        );
        assert!(started.elapsed() >= HEADER_TIMEOUT, "{case:?}");
        assert!(started.elapsed() <= HEADER_TIMEOUT + CLOSE_TIMEOUT * 2, "{case:?}: {:?}", started.elapsed());
    };
    for protocol in [Protocol::Http1, Protocol::Http1OrHttp2] {
        check(protocol, &[], false).await;
        check(protocol, &[b"P"], false).await;
        check(protocol, &[b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: "], false).await;
        check(protocol, &[REQUEST], true).await;
        check(protocol, &[REQUEST, b"GET"], true).await;
    }
    check(Protocol::Http1OrHttp2, &[&PREFACE[..20]], false).await;
    check(Protocol::Http1OrHttp2, &[&PREFACE[..24]], false).await;
    check(Protocol::Http1OrHttp2, &[PREFACE], false).await;
    // Without END_HEADERS, the header section is incomplete.
    check(Protocol::Http1OrHttp2, &[PREFACE, &frame(HEADERS, END_STREAM, 1, &HEAD)], false).await;
    check(Protocol::Http1OrHttp2, &[PREFACE, &request(1, "/")], true).await;
    check(Protocol::Http1OrHttp2, &[PREFACE, &request(1, "/"), &frame(HEADERS, END_STREAM, 3, &HEAD)], true)
        .await;
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_keep_a_connection_open() {
    let ping = frame(PING, 0, 0, b"edgeward");
    let stream = TcpStream::connect(start(1, Protocol::Http1OrHttp2).await).await.unwrap();
    let started = Instant::now();
    let (mut reader, mut writer) = stream.into_split();
    let pinging = async {
        _ = writer.write_all(PREFACE).await;
        while writer.write_all(&ping).await.is_ok() {
            tokio::time::sleep(HEADER_TIMEOUT / 4).await;
        }
    };
    let closing = async { while reader.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        () = pinging => {}
        () = closing => {}
    }
    assert!(started.elapsed() >= HEADER_TIMEOUT);
    assert!(started.elapsed() <= HEADER_TIMEOUT * 2, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn connection_beyond_the_limit_waits_for_the_end_of_another() {
    let address = start(1, Protocol::Http1).await;
    let started = Instant::now();
    let silent = TcpStream::connect(address).await.unwrap();
    assert!(exchange(address, REQUEST).await.ends_with("here"));
    assert!(started.elapsed() >= HEADER_TIMEOUT * 2, "one limit for each, one after the other");
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn connection_that_leaves_its_response_unread_is_closed() {
    for (protocol, sent) in [
        (Protocol::Http1, &b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n"[..]),
        (Protocol::Http1OrHttp2, b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n"),
    ] {
        let address = start(1, protocol).await;
        let started = Instant::now();
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(sent).await.unwrap();
        let next = tokio::time::timeout(WRITE_TIMEOUT * 10, exchange(address, REQUEST)).await;
        assert!(next.is_ok_and(|response| response.ends_with("here")), "{protocol:?}");
        assert!(started.elapsed() >= WRITE_TIMEOUT, "{protocol:?}");
    }
}

#[tokio::test]
async fn header_section_has_a_limit() {
    let header = "a".repeat(4 * MAX_HEADER_BYTES as usize);
    for protocol in [Protocol::Http1, Protocol::Http1OrHttp2] {
        let request = format!("GET / HTTP/1.1\r\nx: {header}\r\n\r\n");
        let response = exchange(start(1, protocol).await, request.as_bytes()).await;
        assert!(response.starts_with("HTTP/1.1 431"), "{response}");
    }
    let stream = TcpStream::connect(start(1, Protocol::Http1OrHttp2).await).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for (size, status) in [(MAX_HEADER_BYTES / 2, 200), (MAX_HEADER_BYTES, 431)] {
        let request = Request::get("http://a/").header("x", "a".repeat(size as usize)).body(()).unwrap();
        client = client.ready().await.unwrap();
        let (response, _) = client.send_request(request, true).unwrap();
        assert_eq!(response.await.unwrap().status(), status, "{size}");
    }
}

#[tokio::test]
async fn requests_in_flight_on_a_connection_have_a_limit() {
    let address = start(2, Protocol::Http1OrHttp2).await;
    let hanging = |count| streams(count).map(|stream| request(stream, "/never"));
    let last = 2 * MAX_STREAMS - 1;
    let sent: Vec<_> = hanging(MAX_STREAMS - 1).chain([request(last, "/")]).collect();
    assert!(receives(address, &sent, b"here").await);
    // REFUSED_STREAM (RFC 9113 §7).
    let refused = frame(RST_STREAM, 0, last + 2, &[0, 0, 0, 7]);
    let sent: Vec<_> = hanging(MAX_STREAMS + 1).collect();
    assert!(receives(address, &sent, &refused).await);
}

#[tokio::test]
async fn all_requests_of_a_connection_may_be_reset_at_once() {
    let address = start(1, Protocol::Http1OrHttp2).await;
    // CANCEL (RFC 9113 §7).
    let cancelled =
        |stream| [request(stream, "/never"), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat();
    let mut sent: Vec<_> = streams(MAX_STREAMS).map(cancelled).collect();
    sent.push(request(2 * MAX_STREAMS + 1, "/"));
    assert!(receives(address, &sent, b"here").await);
}

#[tokio::test]
async fn request_in_flight_gets_its_response_before_the_stop() {
    let (stop, stopped) = watch::channel(false);
    let (began, mut has_begun) = watch::channel(false);
    let finish = Arc::new(tokio::sync::Notify::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = {
        let finish = Arc::clone(&finish);
        async move || {
            began.send_replace(true);
            finish.notified().await;
            "here"
        }
    };
    let router = Router::new().route("/", get(handler));
    let served = tokio::spawn(serve_limited(2, listener, Protocol::Http1OrHttp2, router, stopped));
    let client = tokio::spawn(async move { receives(address, &[request(1, "/")], b"here").await });
    has_begun.wait_for(|begun| *begun).await.unwrap();
    stop.send_replace(true);
    finish.notify_one();
    assert!(client.await.unwrap());
    served.await.unwrap();
}

#[tokio::test]
async fn http2_is_served_only_where_it_is_enabled() {
    for (protocol, expected) in [(Protocol::Http1, false), (Protocol::Http1OrHttp2, true)] {
        assert_eq!(
            receives(start(1, protocol).await, &[request(1, "/")], b"here").await,
            expected,
            "{protocol:?}"
        );
    }
}
