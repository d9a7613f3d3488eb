//! Requests and responses that take long, through the real Envoy: what goes on as long as bytes flow, and what comes of
//! silence. The limit on silence is a second here.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use edgeward_kit::journey::{gateway_before, raw_response};
use edgeward_stack::envoy::Envoy;

/// Time between two bytes, and their number: together three times the limit on silence.
const PACE: Duration = Duration::from_millis(250);
const BYTES: usize = 12;

/// An upstream that takes its time, as the path says.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            // The gateway may be the one that ends it.
            thread::spawn(move || drop(respond(stream)));
        }
    });
    port
}

fn respond(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let (mut path, mut length) = (String::new(), 0);
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        path = if path.is_empty() { line.split(' ').nth(1).unwrap_or_default().to_owned() } else { path };
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n";
    match path.as_str() {
        "/public/events" => {
            writer.write_all(head.as_bytes())?;
            for _ in 0..BYTES {
                thread::sleep(PACE);
                writer.write_all(b".")?;
            }
        }
        "/public/stalls" => {
            write!(writer, "{head}.")?;
            // Until the gateway gives up.
            reader.read_to_end(&mut Vec::new())?;
        }
        "/public/silent" => drop(reader.read_to_end(&mut Vec::new())?),
        "/public/headers" => {
            let headers = "set-cookie: c=1\r\n".repeat(200);
            write!(writer, "HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: 0\r\n\r\n")?;
        }
        _ => {
            std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
            write!(writer, "{head}{length}")?;
        }
    }
    Ok(())
}

/// A gateway before this upstream.
fn gateway() -> u16 {
    static GATEWAY: OnceLock<(Envoy, u16)> = OnceLock::new();
    let changes = [("stream_idle_timeout: 300s", "stream_idle_timeout: 1s")];
    let (_, port) = GATEWAY.get_or_init(|| {
        let (envoy, ports) = gateway_before(upstream(), "streams", &changes).unwrap();
        (envoy, ports.gateway)
    });
    *port
}

fn get(path: &str, version: &str) -> String {
    raw_response(
        gateway(),
        format!("GET {path} HTTP/{version}\r\nhost: shop.example\r\nconnection: close\r\n\r\n"),
    )
}

#[test]
fn response_continues_as_long_as_bytes_flow() {
    for version in ["1.1", "1.0"] {
        let response = get("/public/events", version);
        assert!(response.starts_with(&format!("HTTP/{version} 200 ")), "{response}");
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.matches('.').count(), BYTES, "{response}");
    }
}

#[test]
fn upload_continues_as_long_as_bytes_flow() {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway())).unwrap();
    write!(
        stream,
        "POST /public/upload HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\ncontent-length: {BYTES}\r\n\r\n"
    )
    .unwrap();
    for _ in 0..BYTES {
        thread::sleep(PACE);
        stream.write_all(b".").unwrap();
    }
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[test]
fn silent_upstream_causes_a_504() {
    assert!(get("/public/silent", "1.1").starts_with("HTTP/1.1 504 "));
}

#[test]
fn response_that_stalls_is_cut() {
    let response = get("/public/stalls", "1.1");
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(!response.ends_with("0\r\n\r\n"), "an end that was cut does not look whole: {response}");
}

#[test]
fn upload_that_stalls_causes_a_408() {
    let request = "POST /public/upload HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 2\r\n\r\n.";
    assert!(raw_response(gateway(), request).starts_with("HTTP/1.1 408 "));
}

#[test]
fn a_response_may_have_as_many_headers_as_a_request() {
    let response = get("/public/headers", "1.1");
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert_eq!(response.matches("set-cookie: ").count(), 200);
}
