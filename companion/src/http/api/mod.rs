//! The JSON API below the base path, one file a resource.

pub(super) mod body;
pub(super) mod jwks;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod refresh;
pub(super) mod register;
pub(super) mod self_;
pub(super) mod sessions;
