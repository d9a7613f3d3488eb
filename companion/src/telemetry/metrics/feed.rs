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
    reads: Counter,
    incompatible: Counter,
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
        let feed = Self {
            polls: Family::default(),
            reads: Counter::default(),
            incompatible: Counter::default(),
            polled_at: Gauge::default(),
        };
        for outcome in [FeedPoll::Complete, FeedPoll::More, FeedPoll::Failed] {
            drop(feed.polls.get_or_create(&outcome.into()));
        }
        registry.register(
            "edge_feed_polls",
            "Polls of the edge feed, a page each: complete is the last page, more is one that others follow",
            feed.polls.clone(),
        );
        registry.register(
            "edge_feed_reads",
            "Reads of the database for the edge feed: one a second at most, and one for each page of a gateway that starts",
            feed.reads.clone(),
        );
        registry.register(
            "edge_feed_incompatible_polls",
            "Polls by filters whose version does not go with the companion's, of those that did not come by a cache",
            feed.incompatible.clone(),
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
    /// Counts a read of the database for the edge feed.
    pub fn count_feed_read(&self) {
        self.feed.reads.inc();
    }

    /// Counts a poll by a filter whose version does not go with the companion's.
    pub fn count_incompatible_poll(&self) {
        self.feed.incompatible.inc();
    }

    /// Counts a poll of the edge feed, and sets the time of the last one.
    pub fn count_feed_poll(&self, poll: FeedPoll, now: OffsetDateTime) {
        self.feed.polls.get_or_create(&poll.into()).inc();
        self.feed.polled_at.set(now.unix_timestamp());
    }
}
