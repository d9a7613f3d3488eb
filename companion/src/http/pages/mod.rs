//! HTML pages.

pub mod login;
