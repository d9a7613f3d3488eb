//! The JSON API: one file a path. `logout` has both logouts, `sessions` the list and its ends.

pub(super) mod admin;
pub(super) mod body;
pub(super) mod confirm;
pub(super) mod confirm_passkey;
pub(super) mod current_user;
pub(super) mod email;
pub(super) mod factors;
pub(super) mod jwks;
pub(super) mod login;
pub(super) mod login_factor;
pub(super) mod login_passkey;
pub(super) mod logout;
pub(super) mod openapi;
pub(super) mod passkey;
pub(super) mod password_reset;
pub(super) mod proof;
pub(super) mod refresh;
pub(super) mod register;
pub(super) mod sessions;
pub(super) mod well_known;
