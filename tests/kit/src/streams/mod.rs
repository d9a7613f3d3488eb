//! Streams that stay open through a gateway: an upstream that never ends them, and clients that see their end.

mod client;
pub mod upstream;

pub use client::{End, OpenStream};
pub use upstream::Upstream;

use std::sync::LazyLock;
use std::time::Instant;

/// Kind of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `WebSocket` over HTTP/1.1 (RFC 6455).
    WebSocket,
    /// Server-sent events over HTTP/1.1, in chunks.
    Events,
    /// gRPC over HTTP/2: responses as long as the client waits, and trailers once it does not.
    Grpc,
    /// Response over HTTP/1.1 of a known length that takes long.
    Download,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::WebSocket, Self::Events, Self::Grpc, Self::Download];

    /// Last segment of the path by which the upstream knows the kind.
    #[must_use]
    pub const fn segment(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Events => "events",
            Self::Grpc => "grpc",
            Self::Download => "download",
        }
    }
}

/// Replacements in the gateway's configuration with which HTTP/2 requests go to the upstream over HTTP/2.
pub const SAME_PROTOCOL_UPSTREAM: (&str, &str) = (
    "explicit_http_config: { http_protocol_options: {} }\n          # Node",
    "use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} }\n          # Node",
);

/// Milliseconds since the upstream's clock started. Every message of a stream has the time at which it was sent.
#[must_use]
pub fn now_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap()
}
