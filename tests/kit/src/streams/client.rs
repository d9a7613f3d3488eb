//! A client of one stream: it opens the stream, reads the upstream's messages, and sees how the stream ends.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{Kind, now_ms};
use crate::http2::{self, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, SETTINGS, frame};

/// Maximum time without a byte.
const SILENCE: Duration = Duration::from_secs(10);
/// Number of the stream on its HTTP/2 connection.
const STREAM: u32 = 1;

/// End of a stream, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The connection was closed, in the middle of the response.
    Cut,
    /// The stream was reset with this code (RFC 9113 §7), and its connection was not closed.
    Reset(u32),
    /// The response is complete.
    Complete,
}

/// An open stream.
#[derive(Debug)]
pub struct OpenStream {
    kind: Kind,
    connection: TcpStream,
    /// Last bytes of the body.
    received: Vec<u8>,
    end: Option<End>,
}

impl OpenStream {
    /// Opens a stream through a gateway, with a `Cookie` field, and returns it once its first message is there.
    ///
    /// # Errors
    /// The status of another response.
    pub fn open(kind: Kind, port: u16, folder: &str, cookie: &str) -> Result<Self, u16> {
        let connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        connection.set_read_timeout(Some(SILENCE)).unwrap();
        let mut stream = Self { kind, connection, received: Vec::new(), end: None };
        let path = format!("{folder}{}", kind.segment());
        let status = if kind == Kind::Grpc {
            stream.ask_http2(&path, cookie)
        } else {
            stream.ask_http1(&path, cookie)
        };
        let expected = if kind == Kind::WebSocket { 101 } else { 200 };
        match status.unwrap() {
            status if status == expected => {
                assert!(stream.reads_until(0), "a stream that ends before its first message");
                Ok(stream)
            }
            status => Err(status),
        }
    }

    /// Waits for the end of the stream, and returns it with the time at which it came.
    ///
    /// # Panics
    /// If the stream is still open after `limit`.
    pub fn wait_for_end(&mut self, limit: Duration) -> (End, Instant) {
        let start = Instant::now();
        loop {
            if let Some(end) = self.end {
                return (end, Instant::now());
            }
            assert!(start.elapsed() < limit, "the {:?} stream is still open after {limit:?}", self.kind);
            self.read();
        }
    }

    /// `true` if the stream is open: a message arrives that was sent after this call.
    pub fn is_open(&mut self) -> bool {
        self.reads_until(now_ms() + 1)
    }

    /// Reads the messages that were sent before a time of the upstream's clock, and the next. `false` if the stream ends.
    pub fn reads_until(&mut self, time_ms: u64) -> bool {
        while self.end.is_none() {
            if self.last_time().is_some_and(|last| last >= time_ms) {
                return true;
            }
            self.read();
        }
        false
    }

    /// Ends the request of a gRPC stream, upon which the upstream completes its response.
    pub fn half_close(&mut self) {
        assert_eq!(self.kind, Kind::Grpc);
        self.connection.write_all(&frame(DATA, END_STREAM, STREAM, b"")).unwrap();
    }

    /// Returns the time of the last message.
    fn last_time(&self) -> Option<u64> {
        let text = String::from_utf8_lossy(&self.received);
        let (before, _) = text.rsplit_once(';')?;
        before.rsplit_once("t=")?.1.parse().ok()
    }

    fn ask_http1(&mut self, path: &str, cookie: &str) -> io::Result<u16> {
        let upgrade = match self.kind {
            Kind::WebSocket => {
                "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            }
            _ => "",
        };
        write!(
            self.connection,
            "GET {path} HTTP/1.1\r\nhost: shop.example\r\ncookie: {cookie}\r\n{upgrade}\r\n"
        )?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.connection.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head);
        Ok(head.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default())
    }

    fn ask_http2(&mut self, path: &str, cookie: &str) -> io::Result<u16> {
        let head = http2::block(&[
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", path.as_bytes()),
            (b":authority", b"shop.example"),
            (b"content-type", b"application/grpc"),
            (b"te", b"trailers"),
            (b"cookie", cookie.as_bytes()),
        ]);
        let settings = frame(SETTINGS, 0, 0, &[]);
        let head = frame(HEADERS, END_HEADERS, STREAM, &head);
        self.connection.write_all(&[http2::PREFACE, &settings, &head].concat())?;
        loop {
            let (kind, flags, id, payload) = http2::read_frame(&mut self.connection)?;
            match (kind, id) {
                (SETTINGS, _) if flags & http2::ACK == 0 => {
                    self.connection.write_all(&frame(SETTINGS, http2::ACK, 0, &[]))?;
                }
                (HEADERS, STREAM) => return Ok(http2::read_status(&payload)),
                _ => {}
            }
        }
    }

    /// Reads what comes next of the body, or the end.
    fn read(&mut self) {
        let read = if self.kind == Kind::Grpc { self.read_frame() } else { self.read_bytes() };
        self.end = match read {
            Ok(end) => end,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                panic!("the {:?} stream is silent", self.kind)
            }
            Err(_) => Some(End::Cut),
        };
    }

    fn read_bytes(&mut self) -> io::Result<Option<End>> {
        let mut bytes = [0; 4096];
        let count = self.connection.read(&mut bytes)?;
        self.keep(&bytes[..count]);
        let is_complete = self.kind == Kind::Events && self.received.ends_with(b"\r\n0\r\n\r\n");
        Ok(match count {
            _ if is_complete => Some(End::Complete),
            0 => Some(End::Cut),
            _ => None,
        })
    }

    fn read_frame(&mut self) -> io::Result<Option<End>> {
        let (kind, flags, id, payload) = http2::read_frame(&mut self.connection)?;
        Ok(match (kind, id) {
            (RST_STREAM, STREAM) => Some(End::Reset(u32::from_be_bytes(payload[..4].try_into().unwrap()))),
            (DATA | HEADERS, STREAM) if flags & END_STREAM != 0 => Some(End::Complete),
            (DATA, STREAM) => {
                self.keep(&payload);
                None
            }
            _ => None,
        })
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.received.extend(bytes);
        let surplus = self.received.len().saturating_sub(256);
        self.received.drain(..surplus);
    }
}
