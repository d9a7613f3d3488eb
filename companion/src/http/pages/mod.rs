//! Pages for browsers.

pub mod login;
