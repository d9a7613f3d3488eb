//! Following the edge feed: one call at a time, its answer read by the core, the last good state kept.

use std::time::Duration;

use proxy_wasm::hostcalls;

use super::host::{self, Buffer, Level};
use super::shared::Shared;
use crate::config::Feed;
use crate::feed;

/// Between polls while no key is known: people are waiting.
const EAGER_POLL: Duration = Duration::from_millis(100);
/// How long after its own timeout a call is taken for lost.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// The edge feed, as far as it was followed.
pub(super) struct Poll {
    feed: Feed,
    /// The call under way, and when it is lost.
    call: Option<(u32, Duration)>,
    /// Whether the last answer could be used; only changes are logged.
    healthy: bool,
}

impl Poll {
    /// Starts to follow a feed; the host's timer does the rest.
    pub(super) fn start(feed: Feed) -> Self {
        host::set_tick_period(EAGER_POLL.min(feed.poll));
        Self { feed, call: None, healthy: true }
    }

    /// Asks, unless a call is under way.
    pub(super) fn ask(&mut self, now: Duration, shared: &Shared) {
        if self.call.is_some_and(|(_, lost)| now < lost) {
            return;
        }
        let path = format!("{}?keys={}", self.feed.path, shared.knowledge.borrow().etag());
        let headers = vec![(":method", "GET"), (":path", &*path), (":authority", &*self.feed.cluster)];
        // The SDK's own call: it alone can tell the SDK's dispatcher of the answer to come. Of its statuses
        // Envoy gives only those that it does not panic on.
        let call =
            hostcalls::dispatch_http_call(&self.feed.cluster, headers, None, Vec::new(), self.feed.timeout);
        match call {
            Ok(token) => self.call = Some((token, now + self.feed.timeout + LOST_AFTER)),
            Err(status) => self.failed(&format!("the call could not be made: {status:?}")),
        }
    }

    /// Takes the answer to a call; one that was given up is not heard any more.
    pub(super) fn answered(&mut self, token: u32, shared: &Shared) {
        if self.call.take_if(|(call, _)| *call == token).is_none() {
            return;
        }
        let headers = host::headers(host::Map::CallResponseHeaders);
        let pairs = headers.as_ref().and_then(host::Headers::pairs).unwrap_or_default();
        let status = pairs.iter().find(|(name, _)| *name == b":status").map(|(_, value)| *value);
        match status {
            Some(b"200") => {}
            Some(status) => return self.failed(&format!("the answer has status {}", status.escape_ascii())),
            None => return self.failed("no answer came"),
        }
        let body = host::buffer(Buffer::CallResponseBody, feed::MAX_BYTES + 1).unwrap_or_default();
        let Some(now) = host::now() else { return self.failed("the host has no time") };
        let mut knowledge = shared.knowledge.borrow_mut();
        match knowledge.hear(&body, now.as_secs()) {
            Ok(changed) => {
                if changed {
                    host::log(Level::Info, &format!("edgeward: keys {:?}", knowledge.keys()));
                    host::set_tick_period(self.feed.poll);
                }
                self.succeeded();
            }
            Err(fault) => self.failed(&fault.to_string()),
        }
    }

    fn succeeded(&mut self) {
        if !self.healthy {
            host::log(Level::Info, "edgeward: the edge feed answers again");
        }
        self.healthy = true;
    }

    fn failed(&mut self, why: &str) {
        if self.healthy {
            let cluster = &self.feed.cluster;
            host::log(
                Level::Warn,
                &format!("edgeward: the edge feed of cluster {cluster} failed, what is known stays: {why}"),
            );
        }
        self.healthy = false;
    }
}
