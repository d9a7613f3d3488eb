//! Response bodies that several routes share, and how times are written in them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::domain::UserId;
use crate::http::cookies::CookiePolicy;
use crate::service::TokenPair;

/// Body of a response that says that something was done, and no more.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Done {
    message: &'static str,
}

/// Body of a response that signs somebody in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedInBody {
    message: &'static str,
    user_id: UserId,
}

impl Done {
    /// A body with this message.
    pub(in crate::http) fn new(message: &'static str) -> Json<Self> {
        Json(Self { message })
    }
}

/// Response with both tokens in both cookies.
pub(in crate::http) fn signed_in(
    cookies: &CookiePolicy,
    status: StatusCode,
    message: &'static str,
    tokens: &TokenPair,
) -> Response {
    let body = SignedInBody { message, user_id: tokens.subject.user_id };
    (status, cookies.set(tokens), Json(body)).into_response()
}

/// A time as JavaScript's `toISOString` writes it, which front ends expect.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Timestamp(pub(in crate::http) OffsetDateTime);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let text = self.0.to_offset(UtcOffset::UTC).format(&form).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}
