//! Metrics of the edge feed, as the companion serves it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use time::OffsetDateTime;

use super::Metrics;

pub(super) struct Feed {
    polls: Family<Poll, Counter>,
    polled_at: Gauge,
}

/// Outcome of a gateway's poll of the edge feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedPoll {
    /// The response was the last page.
    Complete,
    /// The response was a page that others follow.
    More,
    /// There was no page.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Poll {
    outcome: &'static str,
}

impl Feed {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let feed = Self { polls: Family::default(), polled_at: Gauge::default() };
        for outcome in [FeedPoll::Complete, FeedPoll::More, FeedPoll::Failed] {
            drop(feed.polls.get_or_create(&outcome.into()));
        }
        registry.register(
            "edge_feed_polls",
            "Polls of the edge feed, a page each: complete is the last page, more is one that others follow",
            feed.polls.clone(),
        );
        registry.register_with_unit(
            "edge_feed_last_poll_timestamp",
            "Time of the last poll of the edge feed; 0 if there was none",
            Unit::Seconds,
            feed.polled_at.clone(),
        );
        feed
    }
}

impl From<FeedPoll> for Poll {
    fn from(poll: FeedPoll) -> Self {
        let outcome = match poll {
            FeedPoll::Complete => "complete",
            FeedPoll::More => "more",
            FeedPoll::Failed => "failed",
        };
        Self { outcome }
    }
}

impl Metrics {
    /// Counts a poll of the edge feed, and sets the time of the last one.
    pub fn count_feed_poll(&self, poll: FeedPoll, now: OffsetDateTime) {
        self.feed.polls.get_or_create(&poll.into()).inc();
        self.feed.polled_at.set(now.unix_timestamp());
    }
}
