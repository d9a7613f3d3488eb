//! State of the host: clock, metrics, log, streams and calls.

use std::collections::{HashMap, VecDeque};
use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex};

use super::Traits;

/// Name and value of a header field.
pub type Header = (Vec<u8>, Vec<u8>);
/// Header fields in order.
pub type Headers = Vec<Header>;

/// Call to a cluster.
#[derive(Clone, Debug)]
pub struct Call {
    /// Number that the host gave the call.
    pub token: u32,
    /// Cluster that is called.
    pub cluster: String,
    /// Header fields.
    pub headers: Headers,
}

/// Local reply of the filter.
#[derive(Clone, Debug)]
pub struct LocalReply {
    /// Status code.
    pub status: u32,
    /// Details for the access log.
    pub details: String,
    /// Header fields.
    pub headers: Headers,
    /// Body.
    pub body: String,
}

/// Renders the reply for a snapshot. The client receives all but the details.
impl Display for LocalReply {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.status, self.details)?;
        for (name, value) in &self.headers {
            writeln!(f, "{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))?;
        }
        if self.body.is_empty() { Ok(()) } else { write!(f, "\n{}", self.body) }
    }
}

/// Stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) request: Headers,
    pub(super) trailers: Headers,
    pub(super) response: Headers,
    /// Envoy's `response.code_details`.
    pub(super) response_details: String,
    /// `true` if it continues to the upstream.
    pub(super) continues: bool,
    /// `true` if the filter has closed it.
    pub(super) closed: bool,
    pub(super) local_reply: Option<LocalReply>,
    pub(super) properties: Vec<(String, String)>,
}

/// Data that the workers of a proxy share, by key, each with its version.
pub(super) type SharedData = Arc<Mutex<HashMap<Vec<u8>, (Vec<u8>, u32)>>>;

/// State of one worker.
#[derive(Debug)]
pub(super) struct World {
    /// Number of the worker among those of its proxy.
    pub(super) worker: u8,
    pub(super) shared_data: SharedData,
    pub(super) traits: Traits,
    pub(super) now_ns: u64,
    pub(super) configuration: Vec<u8>,
    pub(super) log: Vec<String>,
    pub(super) metrics: Vec<(String, i64)>,
    /// Streams that the host has not ended, those that the filter has closed among them.
    pub(super) streams: HashMap<u32, Stream>,
    /// Streams that the filter closes in the callback that runs.
    pub(super) closing: VecDeque<u32>,
    /// Envoy's `source.address` of every stream, if the host has it.
    pub(super) client: Option<String>,
    /// Context that the filter's calls are about.
    pub(super) context: u32,
    pub(super) calls: Vec<Call>,
    pub(super) tokens: u32,
    pub(super) call_headers: Headers,
    pub(super) call_body: Vec<u8>,
    pub(super) verifications: usize,
}

impl World {
    pub(super) fn new(traits: Traits, now_ns: u64, configuration: &str, shared_data: SharedData) -> Self {
        Self {
            worker: u8::try_from(Arc::strong_count(&shared_data)).unwrap(),
            shared_data,
            traits,
            now_ns,
            configuration: configuration.as_bytes().to_vec(),
            log: Vec::new(),
            metrics: Vec::new(),
            streams: HashMap::new(),
            closing: VecDeque::new(),
            client: None,
            context: 0,
            calls: Vec::new(),
            tokens: 0,
            call_headers: Headers::new(),
            call_body: Vec::new(),
            verifications: 0,
        }
    }

    /// Returns the open stream that the filter's calls are about, if they are about one.
    pub(super) fn stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.context).filter(|stream| !stream.closed)
    }

    /// `true` if a context is an open stream.
    pub(super) fn is_open(&self, context: u32) -> bool {
        self.streams.get(&context).is_some_and(|stream| !stream.closed)
    }

    /// Resets the stream that the filter's calls are about, after the callback that runs: Envoy defers a reset until the
    /// plugin returns (`closeStream` in `source/extensions/common/wasm/context.cc` of 1.40).
    pub(super) fn close_stream(&mut self) {
        if self.is_open(self.context) && !self.closing.contains(&self.context) {
            self.closing.push_back(self.context);
        }
    }

    /// Returns the map of this number (`proxy_map_type_t`).
    pub(super) fn map(&mut self, map: u32) -> Option<&mut Headers> {
        match map {
            0 => self.stream().map(|stream| &mut stream.request),
            1 => self.stream().map(|stream| &mut stream.trailers),
            2 => self.stream().map(|stream| &mut stream.response),
            6 => Some(&mut self.call_headers),
            _ => None,
        }
    }

    /// Returns the buffer of this number (`proxy_buffer_type_t`).
    pub(super) fn buffer(&self, buffer: u32) -> Option<&[u8]> {
        match buffer {
            4 => Some(&self.call_body),
            7 => Some(&self.configuration),
            _ => None,
        }
    }
}
