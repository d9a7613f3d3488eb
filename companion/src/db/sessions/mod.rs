//! SQL over `refresh_tokens`, one row a session, by use.

pub mod end;
pub mod read;
pub mod refresh;
pub mod start;
