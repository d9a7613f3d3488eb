//! The edge feed: what an Envoy's filter polls the companion for, at `GET /internal/edge-feed`.

use serde::{Deserialize, Serialize};

use crate::JwkSet;

/// One answer of the feed. The question's `keys` parameter names the key set that the asker holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeFeed {
    /// The keys that access tokens may be signed with.
    pub keys: KeysAt,
}

/// The key set at one moment, or that it is the one the asker holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysAt {
    /// Names this exact set: equal sets have equal tags. At most 64 bytes of `[0-9A-Za-z_-]`.
    pub etag: String,
    /// The set itself; absent when the asker holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<JwkSet>,
}
