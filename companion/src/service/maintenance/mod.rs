//! Use cases of operation: cleaning, readiness, the reports of commands.

mod delete_expired;
mod delete_old_entries;
mod is_ready;
mod report_audit;

pub use self::delete_expired::{Live, delete_expired};
pub use self::delete_old_entries::delete_old_entries;
pub use self::is_ready::{Readiness, is_ready};
pub use self::report_audit::report_audit;
