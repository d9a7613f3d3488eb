//! Follower of the edge feed, like a worker of a gateway.

use std::net::SocketAddr;
use std::sync::Arc;

use edgeward_wire::{EdgeFeed, RevokedSession};
use time::Duration;

use super::{Api, MovableClock};
use crate::client::Client;

/// Follower of the feed, with the cursor of its last poll.
pub struct Follower {
    /// Cursor that the next poll sends.
    pub cursor: String,
    client: Client,
    clock: Arc<MovableClock>,
}

impl Api {
    /// Returns a follower that has not polled yet.
    #[must_use]
    pub fn follower(&self) -> Follower {
        Follower { cursor: String::new(), client: self.internal(), clock: Arc::clone(&self.clock) }
    }
}

impl Follower {
    /// Lets the follower go on at another companion.
    #[must_use]
    pub fn at(self, companion: SocketAddr) -> Self {
        Self { client: Client::new(companion, super::http()), ..self }
    }

    /// Polls a second later, and keeps the cursor of the response: the feed has what was revoked until a second ago.
    pub async fn poll(&mut self) -> EdgeFeed {
        self.clock.advance(Duration::SECOND);
        self.poll_again().await
    }

    /// Polls in the same second.
    pub async fn poll_again(&mut self) -> EdgeFeed {
        let response = self.client.get(&format!("/internal/edge-feed?after={}", self.cursor)).await;
        assert_eq!(response.status, 200, "{response}");
        let feed: EdgeFeed = serde_json::from_value(response.body).expect("a feed");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":,.~_-".contains(&byte);
        assert!(feed.cursor.bytes().all(is_plain), "{}", feed.cursor);
        self.cursor.clone_from(&feed.cursor);
        feed
    }

    /// Polls a second later, and returns the revoked sessions of a response that is complete and revokes no user.
    pub async fn poll_sessions(&mut self) -> Vec<u64> {
        let EdgeFeed { revoked, more, .. } = self.poll().await;
        assert!(!more, "the last page");
        assert!(revoked.users.is_empty(), "{revoked:?}");
        revoked.sessions.iter().map(|RevokedSession(id, _)| *id).collect()
    }
}
