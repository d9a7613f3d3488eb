//! SQL over `refresh_tokens`, one row a session.

mod end;
mod origin;
mod read;
pub mod refresh;
mod start;

pub use self::end::end;
pub use self::origin::{find_origin, set_passkey};
pub use self::read::{count_live, find_user, list};
pub use self::start::insert;
