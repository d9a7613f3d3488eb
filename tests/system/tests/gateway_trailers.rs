//! Request trailers through the real Envoy: the configured gateway removes all of them, and a gateway that forwards trailers
//! removes those that could be read as an identity header.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use edgeward_kit::http2::{Field, Response, exchange};
use edgeward_kit::journey::{registered, stack};
use edgeward_stack::envoy::{self, Envoy};
use edgeward_stack::ports::Ports;
use edgeward_stack::shell::Shell;
use edgeward_stack::{http, paths, wait};
use serde_json::{Value, json};

/// Spellings of our header names, each of which some framework takes for one of them.
const FORGED: [&str; 9] = [
    "x-user-id",
    "X-User-Id",
    "X-USER-ROLE",
    "x-session-id",
    "x_user_id",
    "X_User_Role",
    "x-user_id",
    "x-user-id ",
    "x-user-id\t",
];

/// Returns the port of the stack's own gateway, which removes trailers.
fn without_trailers() -> u16 {
    stack().ports().gateway
}

/// Returns the port of a second gateway before the same companion and upstream, which forwards trailers.
fn with_trailers() -> u16 {
    static GATEWAY: OnceLock<(Envoy, u16)> = OnceLock::new();
    let (_, port) = GATEWAY.get_or_init(|| {
        let Ports { gateway, envoy_admin, .. } = Ports::free().unwrap();
        let ports = Ports { gateway, envoy_admin, ..*stack().ports() };
        let directory = paths::test_folder("trailers");
        fs::create_dir_all(&directory).unwrap();
        let shell = Shell::chosen().unwrap();
        let configuration = envoy::configuration(shell, &ports, enabled_trailers()).unwrap();
        let program = envoy::find_or_install(&mut |_| {}).unwrap();
        let envoy = Envoy::start(&program, &configuration, ports.envoy_admin, 1, &directory).unwrap();
        wait::until("the first keys", Duration::from_secs(20), || {
            Ok(http::is_status_everywhere(ports.gateway, "/orders", 401).then_some(()))
        })
        .unwrap();
        (envoy, ports.gateway)
    });
    *port
}

/// Returns the changes of the configuration that enable trailers of HTTP/1.1 in both directions.
fn enabled_trailers() -> [(String, String); 2] {
    [
        ("accept_http_10: true\n", "accept_http_10: true\n                  enable_trailers: true\n"),
        ("{ http_protocol_options: {} }", "{ http_protocol_options: { enable_trailers: true } }"),
    ]
    .map(|(from, to)| (from.to_owned(), to.to_owned()))
}

/// Sends a request over HTTP/1.1 with these lines after its last chunk.
fn send_chunked(port: u16, cookie: &str, trailers: &str) -> Response {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "POST /orders HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\ncookie: {cookie}\r\n\
         transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n{trailers}\r\n"
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().unwrap(), body.as_bytes().to_vec()))
}

fn send_framed(port: u16, cookie: &str, trailers: &[Field<'_>]) -> Response {
    let head: [Field<'_>; 5] = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":authority", b"shop.example"),
        (b":path", b"/orders"),
        (b"cookie", cookie.as_bytes()),
    ];
    exchange(port, &head, Some(trailers)).unwrap()
}

/// Returns the trailers that the upstream received, if it received the request.
fn received(response: Response) -> Option<Value> {
    let (status, body) = response?;
    let seen: Value = (status == 200).then(|| serde_json::from_slice(&body).unwrap())?;
    assert_eq!(seen["headers"]["x-user-role"], json!(["customer"]));
    assert_eq!(seen["body_bytes"], 1);
    Some(seen["trailers"].clone())
}

#[tokio::test]
async fn harmless_trailer_passes_where_trailers_do() {
    let cookie = registered(false).await.cookie();
    let note = json!({"x-note": ["1"]});
    for (port, expected) in [(without_trailers(), json!({})), (with_trailers(), note)] {
        assert_eq!(received(send_chunked(port, &cookie, "X-Note: 1\r\n")), Some(expected.clone()));
        assert_eq!(received(send_framed(port, &cookie, &[(b"x-note", b"1")])), Some(expected));
    }
}

#[tokio::test]
async fn no_identity_trailer_reaches_the_upstream() {
    let cookie = registered(false).await.cookie();
    let check = &|port: u16, name: &str| {
        let chunked = send_chunked(port, &cookie, &format!("{name}: 1\r\n{name}: 2\r\n"));
        let field: Field<'_> = (name.as_bytes(), b"1");
        let framed = send_framed(port, &cookie, &[field, field]);
        for trailers in [chunked, framed].into_iter().filter_map(received) {
            assert_eq!(trailers, json!({}), "{name:?}");
        }
    };
    // All at once: Envoy takes a second to close a connection.
    thread::scope(|scope| {
        for port in [without_trailers(), with_trailers()] {
            for name in FORGED {
                scope.spawn(move || check(port, name));
            }
        }
    });
}
