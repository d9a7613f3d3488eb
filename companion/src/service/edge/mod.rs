//! Use cases of the edge.

mod check_session;
mod read_feed;

pub use self::check_session::check_session;
pub use self::read_feed::read_feed;
