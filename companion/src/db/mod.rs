//! The only SQL: free functions over a connection, by the noun that they concern. They take no decision. Transactions
//! begin in `service`.

pub mod attempts;
pub mod audit_log;
pub mod bans;
pub mod connect;
pub mod connection;
pub mod databases;
pub mod edge_feed;
pub mod expired;
pub mod exports;
pub mod factor_challenges;
pub mod factors;
pub mod fault;
pub mod foreign_users;
pub mod imports;
pub mod one_time_tokens;
pub mod outbox;
pub mod passkeys;
pub mod passwords;
pub mod pending_logins;
pub mod pool;
pub mod pooled_connection;
pub mod pooler;
pub mod recovery_codes;
pub mod revocations;
pub mod schema;
mod servers;
pub mod sessions;
pub mod signing_keys;
mod types;
pub mod user_handles;
pub mod users;
