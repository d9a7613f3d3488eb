//! What the companion is about: pure types and decisions. No SQL and no HTTP live here.

pub mod access_token;
pub mod audit;
pub mod client_address;
pub mod clock;
pub mod device;
pub mod email;
pub mod feed_cursor;
pub mod hashing;
pub mod host_name;
pub mod jws;
pub mod key_files;
pub mod key_rotation;
pub mod key_set;
pub mod keys;
pub mod name;
pub mod password;
mod pem;
pub mod refresh_token;
pub mod revocation;
pub mod role;
pub mod session;
pub mod text;

/// A user's number.
pub type UserId = i64;

/// A session's number.
pub type SessionId = i64;
