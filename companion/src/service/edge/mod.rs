//! Use cases of the edge.

mod read_feed;

pub use self::read_feed::read_feed;
