//! User of a request, as the gateway states it.

use axum::http::HeaderMap;
use serde::Serialize;

/// Header fields that the gateway sets, and that no client can.
pub(crate) const FIELDS: [&str; 3] = ["x-user-id", "x-user-role", "x-session-id"];

/// User of a request.
#[derive(Serialize)]
pub(crate) struct Identity<'a> {
    pub(crate) user: &'a str,
    pub(crate) role: &'a str,
    pub(crate) session: &'a str,
}

impl<'a> Identity<'a> {
    /// Reads the identity. `None` if nobody is signed in.
    pub(crate) fn read(headers: &'a HeaderMap) -> Option<Self> {
        let [user, role, session] = FIELDS.map(|name| headers.get(name)?.to_str().ok());
        Some(Self { user: user?, role: role?, session: session? })
    }
}
