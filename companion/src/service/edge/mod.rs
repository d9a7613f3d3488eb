//! Use cases of the edge.

mod check_filter;
mod check_session;
mod feed_publisher;
mod read_feed;

pub use self::check_filter::check_filter;
pub use self::check_session::check_session;
pub use self::feed_publisher::{FeedDocument, FeedPublisher};
pub use self::read_feed::read_feed;
