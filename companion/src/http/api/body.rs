//! Response bodies that several routes share, and their format of times.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::domain::UserId;
use crate::domain::time::format_millis;
use crate::http::cookies::CookiePolicy;
use crate::http::openapi::fields;
use crate::service::IssuedTokens;

/// Body of a response with a message only.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Done {
    /// Message for people.
    message: &'static str,
}

/// Body of a response that sets new tokens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignedIn)]
pub(in crate::http) struct SignedInBody {
    /// Message for people.
    message: &'static str,
    /// ID of the signed-in user.
    #[schema(schema_with = fields::id)]
    user_id: UserId,
}

impl Done {
    /// Makes a body with this message.
    pub(in crate::http) fn new(message: &'static str) -> Json<Self> {
        Json(Self { message })
    }
}

impl SignedInBody {
    /// Makes a body with this message.
    pub(in crate::http) fn new(message: &'static str, user_id: UserId) -> Json<Self> {
        Json(Self { message, user_id })
    }
}

/// Makes a response that sets the cookies of both tokens.
pub(in crate::http) fn signed_in(
    cookies: &CookiePolicy,
    status: StatusCode,
    message: &'static str,
    tokens: &IssuedTokens,
) -> Response {
    (status, cookies.set(tokens), SignedInBody::new(message, tokens.subject.user_id)).into_response()
}

/// Time in the format of JavaScript's `toISOString`: RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Timestamp(pub(in crate::http) OffsetDateTime);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_millis(self.0))
    }
}
