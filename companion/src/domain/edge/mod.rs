//! What the edge is told: cursors of the feed, and how long a revocation matters.

pub mod feed_cursor;
pub mod revocation;
