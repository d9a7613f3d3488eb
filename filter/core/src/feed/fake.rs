//! Fakes for tests: the data that the workers of a proxy share, and a companion.

use std::collections::HashMap;
use std::time::Duration;

use edgeward_wire::edge_feed::{EdgeFeed, KeysAt, Revoked, RevokedSession};

use super::relay::SharedData;
use crate::config::Feed;

/// Time at the start of a test.
pub(super) const NOW: Duration = Duration::from_hours(500_000);

/// End of every revocation.
const UNTIL: u32 = u32::MAX;

/// Returns the settings of a feed: the defaults of the configuration.
pub(super) fn settings() -> Feed {
    Feed {
        cluster: "companion_internal".into(),
        path: "/internal/edge-feed".into(),
        poll: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        secret: None,
        max_staleness_s: 300,
        denies_stale: false,
    }
}

/// Data that the workers of a proxy share, in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(pub(super) HashMap<String, (Vec<u8>, u32)>);

impl SharedData for Memory {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.0.get(key).cloned()
    }

    fn set(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        let current = self.0.get(key).map_or(0, |(_, version)| *version);
        let is_set = version == 0 || version == current;
        if is_set {
            self.0.insert(key.to_owned(), (value.to_vec(), current + 1));
        }
        is_set
    }
}

/// Companion with a key set, whose cursors are the number of revocations so far: `c3` after the first three.
#[derive(Clone, Debug)]
pub(super) struct Companion {
    /// Sessions that ended, in order.
    pub(super) revoked: Vec<u64>,
    /// Tag of the key set, whose only key has the tag as its `kid`.
    pub(super) etag: &'static str,
    /// Revocations in a page.
    pub(super) page: usize,
}

impl Companion {
    /// Starts without revocations.
    pub(super) fn new() -> Self {
        Self { revoked: Vec::new(), etag: "e1", page: usize::MAX }
    }

    /// Responds to a request of this path and query.
    pub(super) fn respond(&self, path: &str, now: Duration) -> Vec<u8> {
        let (after, etag) = query(path);
        let page = self.revoked.iter().skip(after).take(self.page);
        let sessions: Vec<_> = page.map(|&session| RevokedSession(session, UNTIL)).collect();
        let cursor = after + sessions.len();
        let modulus = format!("{}w", "_".repeat(341));
        let set = format!(r#"{{"keys":[{{"kty":"RSA","kid":"{}","n":"{modulus}","e":"AQAB"}}]}}"#, self.etag);
        let set = (etag != self.etag).then(|| serde_json::from_str(&set).unwrap());
        let response = EdgeFeed {
            at: now.as_secs(),
            version: None,
            keys: KeysAt { etag: self.etag.into(), set },
            revoked: Revoked { sessions, users: Vec::new() },
            cursor: format!("c{cursor}"),
            more: cursor < self.revoked.len(),
            bans: None,
        };
        serde_json::to_vec(&response).unwrap()
    }
}

/// Reads the number of revocations in a cursor.
pub(super) fn count(cursor: &str) -> usize {
    cursor.strip_prefix('c').map_or(0, |count| count.parse().unwrap())
}

/// Reads the cursor and the key set's tag of a request.
fn query(path: &str) -> (usize, &str) {
    let (_, query) = path.split_once("?after=").unwrap();
    let (cursor, etags) = query.split_once("&keys=").unwrap();
    let (etag, _bans) = etags.split_once("&bans=").unwrap();
    (count(cursor), etag)
}
