//! State that the companion publishes and the filter decides by: keys, revocations and bans, and how current they are. Each
//! response of the edge feed changes it as a whole, or not at all.

use std::sync::Arc;

use crate::bans::Bans;
use crate::feed_response::{self, InvalidFeed, Update};
use crate::keys::KeySet;
use crate::revocation::{CapacityError, Revocations};

/// Maximum difference by which a response may be older than one that was applied before, in seconds. Chosen: companions
/// whose clocks differ a little respond in turn.
const MAX_BACK_S: u64 = 5;

/// Keys, revocations and bans.
#[derive(Clone, Debug, Default)]
pub struct EdgeState {
    keys: KeySet,
    generation: u64,
    /// Tag of the key set in the feed, empty for one that is not from the feed.
    keys_etag: String,
    bans: Arc<Bans>,
    /// Tag of the bans in the feed, empty before the first.
    bans_etag: String,
    revocations: Revocations,
    revision: u64,
    /// Cursor of the next request to the feed, empty for its beginning.
    cursor: String,
    /// `true` while revocations from before the start may be missing.
    is_syncing: bool,
    /// Latest time of a response by the companion's clock, in seconds since 1970.
    latest_at: u64,
    /// Time at which the state was last known to be current, in seconds since 1970.
    current_at: u64,
}

/// Effect of a response that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Version of the companion, if it says so.
    pub version: Option<String>,
    /// `true` if the response has a key set.
    pub keys_changed: bool,
    /// `true` if the next page is ready now.
    pub has_more: bool,
    /// Number of entries of the list of bans that could not be used.
    pub bans_skipped: usize,
    /// Seconds that the companion's clock is ahead of this machine's, less the time that the response took.
    pub clock_ahead_s: i64,
}

impl EdgeState {
    /// Creates the state of a filter without a feed, at `now` in seconds since 1970: these keys, and no revocations.
    #[must_use]
    pub fn new(keys: KeySet, now: u64) -> Self {
        Self { keys, current_at: now, ..Self::default() }
    }

    /// Creates the state of a filter that begins to follow a feed, at `now` in seconds since 1970: these keys, and
    /// revocations that are not yet known.
    #[must_use]
    pub fn syncing(keys: KeySet, now: u64) -> Self {
        Self { is_syncing: true, ..Self::new(keys, now) }
    }

    /// Applies a response of the feed that was received at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// Any [`InvalidFeed`]. Nothing has changed then.
    pub fn apply(&mut self, body: &[u8], now: u64) -> Result<Applied, InvalidFeed> {
        let Update { at, version, keys, revoked, cursor, more, bans } =
            feed_response::read(body, &self.keys_etag, now)?;
        // One response of a clock that is ahead must not make all later ones look old.
        let latest_at = self.latest_at.min(now.saturating_add(MAX_BACK_S));
        if at.saturating_add(MAX_BACK_S) < latest_at {
            return Err(InvalidFeed::Backwards { at, latest_at });
        }
        if bans.as_ref().is_some_and(|(etag, list)| list.is_none() && *etag != self.bans_etag) {
            return Err(InvalidFeed::BansMissing);
        }
        self.revocations.add(&revoked, now).map_err(|CapacityError| InvalidFeed::TooManyRevocations)?;
        if !revoked.sessions.is_empty() || !revoked.users.is_empty() {
            self.revision += 1;
        }
        let clock_ahead_s = at.cast_signed().wrapping_sub(now.cast_signed());
        let bans_skipped = bans.as_ref().and_then(|(_, list)| list.as_ref()).map_or(0, Bans::skipped);
        let applied =
            Applied { version, keys_changed: keys.is_some(), has_more: more, bans_skipped, clock_ahead_s };
        self.replace_keys(keys);
        if let Some((etag, Some(bans))) = bans {
            (self.bans_etag, self.bans) = (etag, bans.into());
        }
        self.cursor = cursor;
        self.is_syncing &= more;
        // A response that is no newer than the last one, such as one that a cache keeps, shows nothing of the present.
        if at > latest_at {
            self.current_at = self.current_at.max(now);
        }
        self.latest_at = latest_at.max(at);
        Ok(applied)
    }

    /// Applies only the keys of a response that another worker received at `received_at`, in seconds since 1970: that
    /// worker may have applied revocations before it that are missing here.
    ///
    /// # Errors
    /// Any [`InvalidFeed`]. Nothing has changed then.
    pub fn apply_keys(&mut self, body: &[u8], received_at: u64) -> Result<(), InvalidFeed> {
        let keys = feed_response::read(body, &self.keys_etag, received_at)?.keys;
        self.replace_keys(keys);
        self.current_at = received_at;
        Ok(())
    }

    fn replace_keys(&mut self, keys: Option<(String, KeySet)>) {
        if let Some((etag, keys)) = keys {
            (self.keys_etag, self.keys) = (etag, keys);
            self.generation += 1;
        }
    }

    /// Copes with a clock that was set back to `now`, in seconds since 1970: the state is not newer than that.
    pub fn clamp_clock(&mut self, now: u64) {
        self.current_at = self.current_at.min(now);
    }

    /// Sets keys, if there are none.
    pub fn seed_keys(&mut self, keys: KeySet) {
        if self.keys.is_empty() {
            self.keys = keys;
            self.generation += 1;
        }
    }

    /// `true` if a decision can depend on what this state has and an earlier one of the same feed has not.
    #[must_use]
    pub fn differs_from(&self, earlier: &Self) -> bool {
        let stamp = |state: &Self| {
            (state.generation, state.revision, state.latest_at, state.current_at, state.is_syncing)
        };
        stamp(self) != stamp(earlier) || self.bans_etag != earlier.bans_etag
    }

    /// Serves requests with what is known, because the feed does not respond.
    pub fn serve_unsynced(&mut self) {
        self.is_syncing = false;
    }

    /// Returns the keys that tokens may be signed with; none before the first are known.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Returns the number of the key set since the start, from 0.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the tag of the key set, for a request to the feed.
    #[must_use]
    pub fn keys_etag(&self) -> &str {
        &self.keys_etag
    }

    /// Returns the tag of the bans, for a request to the feed.
    #[must_use]
    pub fn bans_etag(&self) -> &str {
        &self.bans_etag
    }

    /// Returns the bans.
    #[must_use]
    pub fn bans(&self) -> &Bans {
        &self.bans
    }

    /// Returns the cursor of the next request to the feed.
    #[must_use]
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Returns `true` while no request with a token may pass, because revocations from before the start may be missing.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        self.is_syncing
    }

    /// Returns the revocations.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Returns the number of responses with revocations that were applied. While it stays the same, no identity that
    /// was judged against the revocations becomes revoked.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the time since the state was last known to be current, in seconds; 0 if the clock was set back since.
    #[must_use]
    pub fn age_s(&self, now: u64) -> u64 {
        now.saturating_sub(self.current_at)
    }
}

#[cfg(test)]
mod tests;
