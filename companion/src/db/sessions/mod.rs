//! SQL over `refresh_tokens`, one row a session, by what is done to it.

pub mod end;
pub mod read;
pub mod refresh;
pub mod start;
