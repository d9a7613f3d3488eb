//! Pure types and decisions: no SQL, no HTTP, no files, no runtime. Time and randomness are arguments.

pub mod account;
pub mod audit;
pub mod caller;
pub mod edge;
pub mod host_name;
pub mod id;
pub mod session;
pub mod token;

pub use id::{RequestId, SessionId, UserId};
