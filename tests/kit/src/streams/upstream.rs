//! An upstream whose responses do not end: each sends the time, again and again, until the gateway ends it.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::now_ms;
use crate::http2::{self, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, frame};

/// Time between two messages of a stream.
const PACE: Duration = Duration::from_millis(20);

/// A running upstream; its threads last as long as the process.
#[derive(Clone, Debug)]
pub struct Upstream {
    port: u16,
    open: Arc<AtomicUsize>,
}

/// One stream, counted while it is open.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Upstream {
    /// Starts an upstream at a free port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Self { port: listener.local_addr().unwrap().port(), open: Arc::default() };
        let open = Arc::clone(&upstream.open);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, open) = (connection.unwrap(), Arc::clone(&open));
                // The gateway ends a connection as it likes.
                thread::spawn(move || drop(serve(connection, &open)));
            }
        });
        upstream
    }

    /// Returns its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the number of streams that the gateway has not ended.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

fn serve(connection: TcpStream, open: &Arc<AtomicUsize>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut first = [0; 3];
    connection.peek(&mut first)?;
    if &first == b"PRI" { serve_http2(connection, open) } else { serve_http1(connection, open) }
}

/// Serves one request, and ends the connection with it.
fn serve_http1(connection: TcpStream, open: &Arc<AtomicUsize>) -> io::Result<()> {
    let mut writer = connection.try_clone()?;
    let mut lines = BufReader::new(connection).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (head, message): (_, fn(&str) -> Vec<u8>) = match path.rsplit('/').next().unwrap_or_default() {
        "websocket" => ("101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket", text_frame),
        "events" => ("200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked", chunk),
        "download" => ("200 OK\r\ncontent-length: 1000000000000", |text| text.as_bytes().to_vec()),
        _ => return writer.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
    };
    let _counted = Counted::new(open);
    write!(writer, "HTTP/1.1 {head}\r\n\r\n")?;
    loop {
        writer.write_all(&message(&time()))?;
        thread::sleep(PACE);
    }
}

/// Returns the message that a stream sends now.
fn time() -> String {
    format!("t={};", now_ms())
}

/// Returns an unmasked frame with text (RFC 6455 §5.2).
fn text_frame(text: &str) -> Vec<u8> {
    [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

fn chunk(text: &str) -> Vec<u8> {
    let event = format!("data: {text}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}

/// Returns a message with its prefix (gRPC over HTTP/2, `Length-Prefixed-Message`).
fn grpc_message(text: &str) -> Vec<u8> {
    [&[0], &u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

/// State of a stream of HTTP/2, as far as the gateway has told.
#[derive(Default)]
struct State {
    is_reset: AtomicBool,
    is_half_closed: AtomicBool,
}

/// Responds to every request as a gRPC server that streams.
fn serve_http2(mut connection: TcpStream, open: &Arc<AtomicUsize>) -> io::Result<()> {
    connection.read_exact(&mut [0; http2::PREFACE.len()])?;
    connection.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    let writer = Arc::new(Mutex::new(connection.try_clone()?));
    let mut streams: HashMap<u32, Arc<State>> = HashMap::new();
    let result = (|| loop {
        let (kind, flags, id, payload) = http2::read_frame(&mut connection)?;
        match kind {
            SETTINGS | PING if flags & http2::ACK == 0 => {
                let payload = if kind == PING { &payload[..] } else { &[] };
                writer.lock().unwrap().write_all(&frame(kind, http2::ACK, 0, payload))?;
            }
            HEADERS => {
                let state = Arc::clone(streams.entry(id).or_default());
                let (writer, counted) = (Arc::clone(&writer), Counted::new(open));
                thread::spawn(move || {
                    let _gone = stream_grpc(id, &state, &writer);
                    drop(counted);
                });
            }
            RST_STREAM => {
                if let Some(state) = streams.remove(&id) {
                    state.is_reset.store(true, Ordering::SeqCst);
                }
            }
            _ => {}
        }
        if matches!(kind, DATA | HEADERS)
            && flags & END_STREAM != 0
            && let Some(state) = streams.get(&id)
        {
            state.is_half_closed.store(true, Ordering::SeqCst);
        }
    })();
    for state in streams.values() {
        state.is_reset.store(true, Ordering::SeqCst);
    }
    connection.shutdown(Shutdown::Both).ok();
    result
}

fn stream_grpc(id: u32, state: &State, connection: &Mutex<TcpStream>) -> io::Result<()> {
    let send =
        |kind, flags, payload: &[u8]| connection.lock().unwrap().write_all(&frame(kind, flags, id, payload));
    let head = http2::block(&[(b":status", b"200"), (b"content-type", b"application/grpc")]);
    send(HEADERS, END_HEADERS, &head)?;
    while !state.is_reset.load(Ordering::SeqCst) {
        if state.is_half_closed.load(Ordering::SeqCst) {
            let trailers = http2::block(&[(b"grpc-status", b"0")]);
            return send(HEADERS, END_HEADERS | END_STREAM, &trailers);
        }
        send(DATA, 0, &grpc_message(&time()))?;
        thread::sleep(PACE);
    }
    Ok(())
}
