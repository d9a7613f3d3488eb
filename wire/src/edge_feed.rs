//! The edge feed: what an Envoy's filter polls the companion for, at `GET /internal/edge-feed`.

use serde::{Deserialize, Serialize};

use crate::JwkSet;

/// The longest cursor, in bytes.
pub const MAX_CURSOR_BYTES: usize = 2048;
/// The most revocations in one answer: a page of them.
pub const MAX_PAGE: usize = 8192;

/// One answer of the feed. The question's `keys` parameter names the key set that the asker holds, and `after` is
/// the cursor of the last answer that it heard. Hearing an answer twice changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeFeed {
    /// The companion's clock, in seconds since 1970.
    pub at: u64,
    /// The keys that access tokens may be signed with.
    pub keys: KeysAt,
    /// What was revoked after the question's cursor, at most [`MAX_PAGE`] of both kinds together.
    pub revoked: Revoked,
    /// Where the next answer is to go on: 1 to [`MAX_CURSOR_BYTES`] bytes of `[0-9A-Za-z:,.~_-]`, which need no
    /// escape in a query. What is in it is the companion's business.
    pub cursor: String,
    /// Whether there is more right now.
    pub more: bool,
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

/// Access tokens that are refused though they have not expired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Sessions that ended.
    pub sessions: Vec<RevokedSession>,
    /// Users whose earlier tokens no longer count.
    pub users: Vec<RevokedUser>,
}

/// `[session, until]`: every token of this session is refused. After `until`, in seconds since 1970, all of them
/// have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedSession(pub u64, pub u32);

/// `[user, not_before, until]`: every token of this user with an `iat` below `not_before` is refused. After `until`
/// all of them have expired. Both are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedUser(pub u64, pub u32, pub u32);
