//! Pages of administrators: users, one user, and the audit log. They call the use cases of the admin API.

pub(super) mod audit;
pub(super) mod user;
pub(super) mod users;
