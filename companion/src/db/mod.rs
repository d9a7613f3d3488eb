//! The only SQL: free functions over a connection, by the noun that they concern. No decision is taken here, and no
//! transaction begins here.

pub mod audit_log;
pub mod databases;
pub mod edge_feed;
pub mod passwords;
pub mod pool;
pub mod revocations;
pub mod schema;
pub mod sessions;
mod types;
pub mod users;
