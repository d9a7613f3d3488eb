//! Section `feed`: the source of keys and revocations.

use std::time::Duration;

use edgeward_wire::edge_feed;

use super::section::Section;
use super::{Secret, millis};

/// Source of keys and revocations: the companion's edge feed, and the way it is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Envoy's name of the companion's cluster.
    pub cluster: String,
    /// Path of the feed, without a query.
    pub path: String,
    /// Time between two polls.
    pub poll: Duration,
    /// Maximum time of a response.
    pub timeout: Duration,
    /// Secret that the companion expects (`FEED_SECRET`), if it expects one.
    pub secret: Option<Secret>,
    /// Maximum age of the last response, in seconds, before `denies_stale` applies.
    pub max_staleness_s: u64,
    /// `true` if protected paths are rejected after `max_staleness_s`.
    pub denies_stale: bool,
}

/// Reads `feed`; `None` if the section is absent or no object.
pub(super) fn read(root: &mut Section<'_, '_>) -> Option<Feed> {
    let mut section = root.section("feed")?;
    let max_staleness_s =
        section.integer("max_staleness_seconds", 1..=86_400).unwrap_or(edge_feed::DEFAULT_MAX_STALENESS_S);
    let denies_stale = section.one_of("when_stale", &["allow", "deny"]) == Some("deny");
    let feed = Feed {
        cluster: section.required_text("cluster").unwrap_or_default(),
        path: section.path("path").unwrap_or_else(|| edge_feed::PATH.to_owned()),
        poll: millis(section.integer("poll_ms", 100..=60_000), 1000),
        timeout: millis(section.integer("timeout_ms", 10..=60_000), 1000),
        secret: section.text("secret").map(Secret),
        max_staleness_s: max_staleness_s.into(),
        denies_stale,
    };
    section.reject_unknown();
    Some(feed)
}
