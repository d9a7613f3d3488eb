//! Extractor of JSON bodies, which reports the mistakes of all fields at once.

use std::borrow::Cow;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, OptionalFromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::invalid_text::InvalidText;
use crate::http::error::{ApiError, FieldError};

/// Maximum length of a body, in bytes. Chosen: many times the length of any valid body.
const MAX_BYTES: usize = 64 * 1024;
/// U+FEFF in UTF-8. Some clients prepend it; RFC 8259 §8.1 allows parsers to ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Body of type `application/json` that is an object. Unknown members are ignored.
pub(in crate::http) struct JsonBody<T>(pub(in crate::http) T);

/// Value of a member that has to be a string.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::http) enum TextField {
    /// Absent or null.
    #[default]
    Missing,
    /// Another type.
    NotText,
    /// String.
    Text(String),
}

/// Collection of the mistakes in fields.
pub(in crate::http) struct FieldErrors {
    errors: Vec<FieldError>,
    location: &'static str,
}

/// For the fields of a body.
impl Default for FieldErrors {
    fn default() -> Self {
        Self { errors: Vec::new(), location: "body" }
    }
}

impl FieldErrors {
    /// Makes a collection for the parameters of a query.
    pub(super) fn of_query() -> Self {
        Self { errors: Vec::new(), location: "query" }
    }

    /// Returns `true` if there is no mistake.
    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Parses a field. `None` if it is missing or wrong; the mistake is collected.
    pub(in crate::http) fn parse<T, E: InvalidText>(
        &mut self,
        field: &'static str,
        value: TextField,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = match value {
            TextField::Text(text) => text,
            missing => return self.require(field, missing).and(None),
        };
        match parse(&text) {
            Ok(parsed) => Some(parsed),
            Err(invalid) => self.add(field, invalid.code(), invalid.to_string()),
        }
    }

    /// Takes a text that may be anything but empty. `None` if it is missing or no text; the mistake is collected.
    pub(in crate::http) fn require(&mut self, field: &'static str, value: TextField) -> Option<String> {
        match value {
            TextField::Text(text) if !text.is_empty() => Some(text),
            TextField::Text(_) | TextField::Missing => {
                self.add(field, "required", format!("{field} is required"))
            }
            TextField::NotText => self.add(field, "not_text", format!("{field} must be a text")),
        }
    }

    /// Adds a mistake.
    pub(super) fn add<T>(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        message: String,
    ) -> Option<T> {
        self.errors.push(FieldError { field: field.into(), location: self.location, code, message });
        None
    }

    /// Returns the error with all mistakes.
    pub(in crate::http) fn into_error(self) -> ApiError {
        ApiError::FieldsInvalid(self.errors)
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

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        parse(&read(request).await?)
    }
}

/// `None` if there is no body. Its type is required all the same.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, ApiError> {
        let bytes = read(request).await?;
        if bytes.is_empty() { Ok(None) } else { parse(&bytes).map(Some) }
    }
}

async fn read(mut request: Request) -> Result<Bytes, ApiError> {
    if !is_json(request.headers()) {
        return Err(ApiError::ContentTypeNotJson);
    }
    DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
    request.extract().await.map_err(|rejection: BytesRejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::BodyTooLarge
        } else {
            ApiError::BodyNotObject
        }
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<JsonBody<T>, ApiError> {
    let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    // Through a map, in which the last one of repeated members counts.
    let object: Map<String, Value> = serde_json::from_slice(json).map_err(|_| ApiError::BodyNotObject)?;
    T::deserialize(Value::Object(object)).map(JsonBody).map_err(|_| ApiError::BodyNotObject)
}

/// Returns `true` if the type is `application/json`. Requiring it also rejects forms of other sites: browsers send it
/// only after a CORS preflight.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
