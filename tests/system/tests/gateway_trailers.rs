//! Request trailers through the real Envoy: as the gateway is configured none goes upstream, and where a gateway
//! lets them pass, none that could be read as an identity header does.

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
use edgeward_stack::{http, paths, wait};
use serde_json::{Value, json};

/// Spellings of our headers, all of which some framework takes for one of them.
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

/// Where the stack's own gateway listens, which trailers do not pass.
fn closed() -> u16 {
    stack().ports().gateway
}

/// A second gateway before the same companion and upstream, which they do pass.
fn open() -> u16 {
    static OPEN: OnceLock<(Envoy, u16)> = OnceLock::new();
    let (_, port) = OPEN.get_or_init(|| {
        let Ports { gateway, envoy_admin, .. } = Ports::free().unwrap();
        let ports = Ports { gateway, envoy_admin, ..*stack().ports() };
        let mut replacements = envoy::local(&ports, &paths::filter_wasm());
        replacements.extend(passing_trailers());
        let directory = paths::test_folder("open");
        fs::create_dir_all(&directory).unwrap();
        let configuration = envoy::render(&envoy::configuration().unwrap(), &replacements).unwrap();
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

/// Trailers are passed on from HTTP/1.1 and to it where both ends say so.
fn passing_trailers() -> [(String, String); 2] {
    [
        ("accept_http_10: true\n", "accept_http_10: true\n                  enable_trailers: true\n"),
        ("{ http_protocol_options: {} }", "{ http_protocol_options: { enable_trailers: true } }"),
    ]
    .map(|(from, to)| (from.to_owned(), to.to_owned()))
}

/// A request over HTTP/1.1 with these lines behind its last chunk.
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

/// The trailers that reached the upstream, where the request did.
fn arrived(response: Response) -> Option<Value> {
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
    for (port, expected) in [(closed(), json!({})), (open(), note)] {
        assert_eq!(arrived(send_chunked(port, &cookie, "X-Note: 1\r\n")), Some(expected.clone()));
        assert_eq!(arrived(send_framed(port, &cookie, &[(b"x-note", b"1")])), Some(expected));
    }
}

#[tokio::test]
async fn no_identity_trailer_reaches_the_upstream() {
    let cookie = registered(false).await.cookie();
    let check = &|port: u16, name: &str| {
        let chunked = send_chunked(port, &cookie, &format!("{name}: 1\r\n{name}: 2\r\n"));
        let field: Field<'_> = (name.as_bytes(), b"1");
        let framed = send_framed(port, &cookie, &[field, field]);
        for trailers in [chunked, framed].into_iter().filter_map(arrived) {
            assert_eq!(trailers, json!({}), "{name:?}");
        }
    };
    // All at once: Envoy takes a second to end a connection.
    thread::scope(|scope| {
        for port in [closed(), open()] {
            for name in FORGED {
                scope.spawn(move || check(port, name));
            }
        }
    });
}
