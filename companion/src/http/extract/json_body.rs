//! JSON bodies as types, with every field's mistake reported at once.

use std::fmt::Display;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::http::error::{ApiError, FieldError};

/// Maximum length of a body, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// U+FEFF in UTF-8. Some clients begin a text with it; RFC 8259 §8.1 lets a parser ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A body of `application/json` that is an object. Unknown members are ignored and set nothing.
pub(in crate::http) struct JsonBody<T>(pub(in crate::http) T);

/// Value of a member that must be text, as it was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::http) enum TextField {
    /// Absent or null.
    #[default]
    Missing,
    /// Not a text.
    NotText,
    /// A text.
    Text(String),
}

/// Collects the mistakes of several fields.
#[derive(Default)]
pub(in crate::http) struct FieldErrors(Vec<FieldError>);

/// Text that does not parse, with a stable code.
pub(in crate::http) trait InvalidText: Display {
    /// Machine-readable name of the mistake.
    fn code(&self) -> &'static str;
}

impl FieldErrors {
    /// Parses a field. `None` if it is missing or wrong, which [`FieldErrors::into_error`] reports.
    pub(in crate::http) fn parse<T, E: InvalidText>(
        &mut self,
        field: &'static str,
        value: TextField,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (code, message) = match value {
            TextField::Text(text) => match parse(&text) {
                Ok(parsed) => return Some(parsed),
                Err(invalid) => (invalid.code(), invalid.to_string()),
            },
            TextField::Missing => ("required", format!("{field} is required")),
            TextField::NotText => ("not_text", format!("{field} must be a text")),
        };
        self.0.push(FieldError { field, code, message });
        None
    }

    /// All mistakes.
    pub(in crate::http) fn into_error(self) -> ApiError {
        ApiError::Fields(self.0)
    }
}

impl<'de> Deserialize<'de> for TextField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Missing,
            Value::String(text) => Self::Text(text),
            _ => Self::NotText,
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::NotJson);
        }
        DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
        let bytes: Bytes = request.extract().await.map_err(|rejection: BytesRejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::TooLarge
            } else {
                ApiError::NotAnObject
            }
        })?;
        let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        // By way of a map: of a member that is sent twice, the last one counts.
        let object: Map<String, Value> = serde_json::from_slice(json).map_err(|_| ApiError::NotAnObject)?;
        T::deserialize(Value::Object(object)).map(Self).map_err(|_| ApiError::NotAnObject)
    }
}

/// Asking for this type also keeps forms of other sites out: a browser sends it only after a CORS preflight.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
