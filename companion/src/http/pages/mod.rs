//! HTML pages.

pub(super) mod docs;
pub mod login;
