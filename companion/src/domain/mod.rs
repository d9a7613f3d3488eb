//! Pure types and decisions: no SQL, no HTTP, no files, no runtime. The time is an argument.

pub mod account;
pub mod audit;
pub mod caller;
pub mod edge;
pub mod factor;
pub mod guard;
pub mod host_name;
pub mod id;
pub mod language;
pub mod mail;
pub mod network;
pub mod page;
pub mod session;
pub mod time;
pub mod token;

pub use id::{FactorId, InvalidUserId, RequestId, SessionId, UserId};
