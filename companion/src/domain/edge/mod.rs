//! State that the gateways receive: cursors of the feed, and the lifetimes of revocations.

pub mod feed_cursor;
pub mod feed_log;
pub mod revocation;
pub mod snapshot;
