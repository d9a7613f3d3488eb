//! All that the host knows: its clock, its counters, its log, the stream under way and the calls; never how
//! the filter asks for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::Traits;

/// A header's name and value.
pub type Header = (Vec<u8>, Vec<u8>);
/// Headers in their order.
pub type Headers = Vec<Header>;

/// A call to a cluster.
#[derive(Clone, Debug)]
pub struct Call {
    /// The host's number for it.
    pub token: u32,
    /// Whom it is for.
    pub cluster: String,
    /// Its headers.
    pub headers: Headers,
}

/// The filter's own answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u32,
    /// What the access log is told.
    pub details: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: String,
}

/// One stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) request: Headers,
    pub(super) trailers: Headers,
    pub(super) response: Headers,
    /// Envoy's `response.code_details`.
    pub(super) response_details: String,
    /// Whether it goes on to the upstream.
    pub(super) goes_on: bool,
    pub(super) answer: Option<Answer>,
    pub(super) properties: Vec<(String, String)>,
}

/// What the workers of a proxy share, by key, each with its version.
pub(super) type SharedData = Arc<Mutex<HashMap<Vec<u8>, (Vec<u8>, u32)>>>;

/// The state of one worker.
#[derive(Debug)]
pub(super) struct World {
    /// Tells the workers of a proxy apart.
    pub(super) worker: u8,
    pub(super) shared_data: SharedData,
    pub(super) traits: Traits,
    pub(super) now_ns: u64,
    pub(super) configuration: Vec<u8>,
    pub(super) log: Vec<String>,
    pub(super) metrics: Vec<(String, i64)>,
    pub(super) streams: HashMap<u32, Stream>,
    /// The context that the filter's calls are about.
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
            context: 0,
            calls: Vec::new(),
            tokens: 0,
            call_headers: Headers::new(),
            call_body: Vec::new(),
            verifications: 0,
        }
    }

    /// The stream that the filter's calls are about, if it is about one.
    pub(super) fn stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.context)
    }

    /// The map of this number (`proxy_map_type_t`).
    pub(super) fn map(&mut self, map: u32) -> Option<&mut Headers> {
        match map {
            0 => self.stream().map(|stream| &mut stream.request),
            1 => self.stream().map(|stream| &mut stream.trailers),
            2 => self.stream().map(|stream| &mut stream.response),
            6 => Some(&mut self.call_headers),
            _ => None,
        }
    }

    /// The buffer of this number (`proxy_buffer_type_t`).
    pub(super) fn buffer(&self, buffer: u32) -> Option<&[u8]> {
        match buffer {
            4 => Some(&self.call_body),
            7 => Some(&self.configuration),
            _ => None,
        }
    }
}
