//! The only SQL there is: free functions over a connection. No decision is taken here.

pub mod audit_log;
pub mod databases;
pub mod edge_feed;
pub mod pool;
pub mod refresh_tokens;
pub mod revocations;
pub mod schema;
pub mod sessions;
pub mod users;
