//! Use cases of the audit log.

mod list;

pub use self::list::list;
