//! Layers around handlers.

pub(super) mod admin;
mod client_address;
pub(super) mod cors;
pub(super) mod edge_secret;
pub(super) mod observe;
pub(super) mod recent;
pub(super) mod signed_in;
