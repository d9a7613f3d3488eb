//! Response of the edge feed: bytes in, an update of the edge state out. A response that is not valid is rejected as a
//! whole, so that the last valid state stays in use.

use std::borrow::Cow;

use edgeward_wire::clock::MAX_GAP_S;
use edgeward_wire::edge_feed::{
    self, Ban, EdgeFeed, MAX_BYTES, MAX_CURSOR_BYTES, MAX_ETAG_BYTES, MAX_PAGE, Revoked,
};
use thiserror::Error;

use crate::bans::Bans;
use crate::keys::{InvalidKeySet, KeySet};

/// Change that a response makes.
#[derive(Debug)]
pub struct Update {
    /// Time of the response by the companion's clock, in seconds since 1970.
    pub at: u64,
    /// Version of the companion, if it says so.
    pub version: Option<String>,
    /// Tag and key set, if it is not the one that is held. It has at least one key.
    pub keys: Option<(String, KeySet)>,
    /// Revocations.
    pub revoked: Revoked,
    /// Cursor of the next request.
    pub cursor: String,
    /// `true` if the next page is ready now.
    pub more: bool,
    /// Tag and bans, if the companion knows bans. They are left out where they have the tag of the request.
    pub bans: Option<(String, Option<Bans>)>,
}

/// Response that is not valid.
#[derive(Debug, Error)]
pub enum InvalidFeed {
    /// Longer than [`MAX_BYTES`].
    #[error("the response has more than {MAX_BYTES} bytes")]
    Oversize,
    /// Not the JSON of an [`EdgeFeed`].
    #[error("the response is not an edge feed: {0}")]
    Malformed(serde_json::Error),
    /// The companion's clock is more than [`MAX_GAP_S`] from this machine's.
    #[error(
        "the companion's clock is {ahead_s} s ahead of the gateway's, and at most {MAX_GAP_S} are allowed"
    )]
    ClockApart {
        /// Seconds that it is ahead; negative if it is behind.
        ahead_s: i64,
    },
    /// Older than a response that was applied before.
    #[error(
        "the response is of {at}, older than one of {latest_at} that was applied before (seconds since 1970)"
    )]
    Backwards {
        /// Time of the response, in seconds since 1970.
        at: u64,
        /// Latest time of a response that was applied, in seconds since 1970.
        latest_at: u64,
    },
    /// The key set's tag fails [`edge_feed::is_etag`].
    #[error("keys.etag is not 1 to {MAX_ETAG_BYTES} bytes of [0-9A-Za-z_-]")]
    EtagMalformed,
    /// The key set is left out, though it is not the one that is held.
    #[error("keys.set is missing, though keys.etag is new")]
    KeysMissing,
    /// The key set has no key.
    #[error("keys.set has no key")]
    KeysEmpty,
    /// A key is not usable.
    #[error("keys.set: {0}")]
    Keys(InvalidKeySet),
    /// The cursor fails [`edge_feed::is_cursor`].
    #[error("cursor is not 1 to {MAX_CURSOR_BYTES} bytes of [0-9A-Za-z:,.~_-]")]
    CursorMalformed,
    /// More than [`MAX_PAGE`] revocations.
    #[error("revoked has more than {MAX_PAGE} entries")]
    PageOversize,
    /// The bans' tag fails [`edge_feed::is_etag`].
    #[error("bans.etag is not 1 to {MAX_ETAG_BYTES} bytes of [0-9A-Za-z_-]")]
    BansEtagMalformed,
    /// The bans are left out, though they are not those that are held.
    #[error("bans.list is missing, though bans.etag is new")]
    BansMissing,
    /// More revocations than a worker holds: [`MAX_ENTRIES`](crate::revocation::MAX_ENTRIES).
    #[error("there are more revocations than the gateway holds")]
    TooManyRevocations,
}

impl InvalidFeed {
    /// Label in metrics: `[a-z_]+`.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Oversize => "oversize",
            Self::Malformed(_)
            | Self::EtagMalformed
            | Self::CursorMalformed
            | Self::PageOversize
            | Self::BansEtagMalformed
            | Self::BansMissing => "malformed",
            Self::ClockApart { .. } => "clock_apart",
            Self::Backwards { .. } => "backwards",
            Self::KeysMissing | Self::KeysEmpty | Self::Keys(_) => "keys_unusable",
            Self::TooManyRevocations => "too_many_revocations",
        }
    }
}

/// Reads a response that was received at `now`, in seconds since 1970. `held_etag` is the tag of the key set that is
/// held, empty for none.
///
/// # Errors
/// Each variant of [`InvalidFeed`] but `Backwards`, `BansMissing` and `TooManyRevocations`, which depend on what is held.
pub fn read(body: &[u8], held_etag: &str, now: u64) -> Result<Update, InvalidFeed> {
    if body.len() > MAX_BYTES {
        return Err(InvalidFeed::Oversize);
    }
    let EdgeFeed { at, version, keys, revoked, cursor, more, bans } =
        serde_json::from_slice(body).map_err(InvalidFeed::Malformed)?;
    if at.abs_diff(now) > MAX_GAP_S.into() {
        return Err(InvalidFeed::ClockApart { ahead_s: at.cast_signed().wrapping_sub(now.cast_signed()) });
    }
    if !edge_feed::is_etag(&keys.etag) {
        return Err(InvalidFeed::EtagMalformed);
    }
    let keys = match keys.set {
        None if keys.etag == held_etag => None,
        None => return Err(InvalidFeed::KeysMissing),
        Some(set) if set.keys.is_empty() => return Err(InvalidFeed::KeysEmpty),
        Some(set) => Some((keys.etag, KeySet::read(&set).map_err(InvalidFeed::Keys)?)),
    };
    if !edge_feed::is_cursor(&cursor) {
        return Err(InvalidFeed::CursorMalformed);
    }
    if revoked.sessions.len() + revoked.users.len() > MAX_PAGE {
        return Err(InvalidFeed::PageOversize);
    }
    let bans = bans.map(|bans| read_bans(bans.etag, bans.list.as_deref())).transpose()?;
    let version = version.map(Cow::into_owned);
    Ok(Update { at, version, keys, revoked, cursor, more, bans })
}

fn read_bans(etag: String, list: Option<&[Ban]>) -> Result<(String, Option<Bans>), InvalidFeed> {
    if !edge_feed::is_etag(&etag) {
        return Err(InvalidFeed::BansEtagMalformed);
    }
    Ok((etag, list.map(Bans::read)))
}

#[cfg(test)]
mod tests;
