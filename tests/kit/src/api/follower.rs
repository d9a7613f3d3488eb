//! Follower of the edge feed, like a worker of a gateway.

use edgeward_wire::{EdgeFeed, RevokedSession};

use super::Api;
use crate::client::Client;

/// Follower of the feed, with the cursor of its last poll.
pub struct Follower {
    /// Cursor that the next poll sends.
    pub cursor: String,
    client: Client,
}

impl Api {
    /// Returns a follower that has not polled yet.
    #[must_use]
    pub fn follower(&self) -> Follower {
        Follower { cursor: String::new(), client: self.internal() }
    }
}

impl Follower {
    /// Polls once, and keeps the cursor of the response.
    pub async fn poll(&mut self) -> EdgeFeed {
        let response = self.client.get(&format!("/internal/edge-feed?after={}", self.cursor)).await;
        assert_eq!(response.status, 200, "{response}");
        let feed: EdgeFeed = serde_json::from_value(response.body).expect("a feed");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":,.~_-".contains(&byte);
        assert!(feed.cursor.bytes().all(is_plain), "{}", feed.cursor);
        self.cursor.clone_from(&feed.cursor);
        feed
    }

    /// Polls once, and returns the revoked sessions of a response that is complete and revokes no user.
    pub async fn poll_sessions(&mut self) -> Vec<u64> {
        let EdgeFeed { revoked, more, .. } = self.poll().await;
        assert!(!more, "the last page");
        assert!(revoked.users.is_empty(), "{revoked:?}");
        revoked.sessions.iter().map(|RevokedSession(id, _)| *id).collect()
    }
}
