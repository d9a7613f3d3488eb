//! The limits of a listener, met by raw bytes and by a client that keeps to the rules.

use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
/// How an HTTP/2 connection begins (RFC 9113 §3.4), with empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The types of frames (§6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PING: u8 = 6;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:method: GET`, `:scheme: http` and `:path: /` (RFC 7541, appendix A).
const HEAD: [u8; 3] = [0x82, 0x86, 0x84];

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET` of a path, which stands in it as it is (RFC 7541 §6.2.2).
fn request(stream: u32, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &[&[0x82, 0x86, 0x04, length], path.as_bytes()].concat())
}

/// The numbers of so many requests of a client.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

/// Says something; whether a frame comes before the connection is closed.
async fn hears(address: SocketAddr, said: &[Vec<u8>], expected: &[u8]) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[PREFACE.to_vec(), said.concat()].concat()).await.unwrap();
    let mut heard = Vec::new();
    while !heard.windows(expected.len()).any(|part| part == expected) {
        if stream.read_buf(&mut heard).await.unwrap_or_default() == 0 {
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
        serve_at_once(connections, listener, protocol, router, stopped).await;
    });
    address
}

/// Says something and nothing more; gives what was answered until the connection was closed.
async fn say(address: SocketAddr, said: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    _ = stream.write_all(said).await;
    let mut answer = Vec::new();
    // What was said in vain may end it with a reset.
    _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_no_more_is_closed() {
    let check = async |protocol, said: &[&[u8]], answered| {
        let (said, started) = (said.concat(), Instant::now());
        let place = (protocol, String::from_utf8_lossy(&said).into_owned());
        assert_eq!(say(start(1, protocol).await, &said).await.contains("here"), answered, "{place:?}");
        assert!(started.elapsed() >= HEADER_LIMIT, "{place:?}");
        assert!(started.elapsed() <= HEADER_LIMIT + CLOSE_LIMIT * 2, "{place:?}: {:?}", started.elapsed());
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
    // Without END_HEADERS, more is to follow.
    check(Protocol::Http1OrHttp2, &[PREFACE, &frame(HEADERS, END_STREAM, 1, &HEAD)], false).await;
    check(Protocol::Http1OrHttp2, &[PREFACE, &request(1, "/")], true).await;
    check(Protocol::Http1OrHttp2, &[PREFACE, &request(1, "/"), &frame(HEADERS, END_STREAM, 3, &HEAD)], true)
        .await;
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_keep_a_connection() {
    let ping = frame(PING, 0, 0, b"edgeward");
    let stream = TcpStream::connect(start(1, Protocol::Http1OrHttp2).await).await.unwrap();
    let started = Instant::now();
    let (mut heard, mut said) = stream.into_split();
    let pinging = async {
        _ = said.write_all(PREFACE).await;
        while said.write_all(&ping).await.is_ok() {
            tokio::time::sleep(HEADER_LIMIT / 4).await;
        }
    };
    let closing = async { while heard.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        () = pinging => {}
        () = closing => {}
    }
    assert!(started.elapsed() >= HEADER_LIMIT);
    assert!(started.elapsed() <= HEADER_LIMIT * 2, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_connection_too_many_waits_for_a_place() {
    let address = start(1, Protocol::Http1).await;
    let started = Instant::now();
    let silent = TcpStream::connect(address).await.unwrap();
    assert!(say(address, REQUEST).await.ends_with("here"));
    assert!(started.elapsed() >= HEADER_LIMIT * 2, "one limit for each, one after the other");
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_leaves_its_answer_where_it_is_is_closed() {
    for (protocol, said) in [
        (Protocol::Http1, &b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n"[..]),
        (Protocol::Http1OrHttp2, b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n"),
    ] {
        let address = start(1, protocol).await;
        let started = Instant::now();
        let mut deaf = TcpStream::connect(address).await.unwrap();
        deaf.write_all(said).await.unwrap();
        let next = tokio::time::timeout(WRITE_LIMIT * 10, say(address, REQUEST)).await;
        assert!(next.is_ok_and(|answer| answer.ends_with("here")), "{protocol:?}");
        assert!(started.elapsed() >= WRITE_LIMIT, "{protocol:?}");
    }
}

#[tokio::test]
async fn headers_have_a_limit() {
    let header = "a".repeat(4 * MAX_HEADER_BYTES as usize);
    for protocol in [Protocol::Http1, Protocol::Http1OrHttp2] {
        let request = format!("GET / HTTP/1.1\r\nx: {header}\r\n\r\n");
        let answer = say(start(1, protocol).await, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let stream = TcpStream::connect(start(1, Protocol::Http1OrHttp2).await).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for (size, status) in [(MAX_HEADER_BYTES / 2, 200), (MAX_HEADER_BYTES, 431)] {
        let request = Request::get("http://a/").header("x", "a".repeat(size as usize)).body(()).unwrap();
        client = client.ready().await.unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), status, "{size}");
    }
}

#[tokio::test]
async fn requests_under_way_on_a_connection_have_a_limit() {
    let address = start(2, Protocol::Http1OrHttp2).await;
    let hanging = |count| streams(count).map(|stream| request(stream, "/never"));
    let last = 2 * MAX_STREAMS - 1;
    let said: Vec<_> = hanging(MAX_STREAMS - 1).chain([request(last, "/")]).collect();
    assert!(hears(address, &said, b"here").await);
    // REFUSED_STREAM (RFC 9113 §7).
    let refused = frame(RST_STREAM, 0, last + 2, &[0, 0, 0, 7]);
    let said: Vec<_> = hanging(MAX_STREAMS + 1).collect();
    assert!(hears(address, &said, &refused).await);
}

#[tokio::test]
async fn all_requests_of_a_connection_may_be_withdrawn_at_once() {
    let address = start(1, Protocol::Http1OrHttp2).await;
    // CANCEL (RFC 9113 §7).
    let withdrawn =
        |stream| [request(stream, "/never"), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat();
    let mut said: Vec<_> = streams(MAX_STREAMS).map(withdrawn).collect();
    said.push(request(2 * MAX_STREAMS + 1, "/"));
    assert!(hears(address, &said, b"here").await);
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let (stop, stopped) = watch::channel(false);
    let (began, mut has_begun) = watch::channel(false);
    let finish = Arc::new(tokio::sync::Notify::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = {
        let finish = Arc::clone(&finish);
        async move || {
            began.send_replace(true);
            finish.notified().await;
            "here"
        }
    };
    let router = Router::new().route("/", get(answer));
    let served = tokio::spawn(serve_at_once(2, listener, Protocol::Http1OrHttp2, router, stopped));
    let asked = tokio::spawn(async move { hears(address, &[request(1, "/")], b"here").await });
    has_begun.wait_for(|begun| *begun).await.unwrap();
    stop.send_replace(true);
    finish.notify_one();
    assert!(asked.await.unwrap());
    served.await.unwrap();
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_meant_to_be() {
    for (protocol, expected) in [(Protocol::Http1, false), (Protocol::Http1OrHttp2, true)] {
        assert_eq!(
            hears(start(1, protocol).await, &[request(1, "/")], b"here").await,
            expected,
            "{protocol:?}"
        );
    }
}
