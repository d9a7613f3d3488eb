//! Extractor of JSON bodies, which reports the mistakes of all fields at once.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::RequestExt;
use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::invalid_text::InvalidText;
use crate::http::error::{ApiError, FieldError};

/// Maximum length of a body, in bytes. Chosen: many times the length of any valid body.
const MAX_BYTES: usize = 64 * 1024;
/// Maximum time from the header section of a request to the end of its body. Chosen: that of the header section. A
/// client that sends slowly is no failure of the service, and gets its response before the deadline of requests.
const MAX_TIME: Duration = Duration::from_secs(10);
/// U+FEFF in UTF-8. Some clients prepend it; RFC 8259 §8.1 allows parsers to ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Body of type `application/json` that is an object without repeated names at its top level. Unknown members are ignored.
pub(in crate::http) struct JsonBody<T>(pub(in crate::http) T);

/// Members of an object, each of another name: a proxy that reads the first of two would see another request than we
/// do, which read the last (RFC 7493 §2.3).
struct Members(Map<String, Value>);

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

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Map::new()))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Self, A::Error> {
        while let Some((name, value)) = access.next_entry()? {
            if self.0.insert(name, value).is_some() {
                return Err(A::Error::custom("a name is repeated"));
            }
        }
        Ok(self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        parse(&read(request).await?)
    }
}

async fn read(mut request: Request) -> Result<Bytes, ApiError> {
    if !is_json(request.headers()) {
        return Err(ApiError::ContentTypeNotJson);
    }
    if is_encoded(request.headers()) {
        return Err(ApiError::ContentEncoded);
    }
    // A client that waits for `100 Continue` (RFC 9110 §10.1.1) sends nothing of it.
    if request.body().size_hint().lower() > MAX_BYTES as u64 {
        return Err(ApiError::BodyTooLarge);
    }
    DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
    let read = timeout(MAX_TIME, request.extract()).await.map_err(|_| ApiError::BodyTooSlow)?;
    read.map_err(|rejection: BytesRejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::BodyTooLarge
        } else {
            ApiError::BodyNotObject
        }
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<JsonBody<T>, ApiError> {
    let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let Members(members) = serde_json::from_slice(json).map_err(|_| ApiError::BodyNotObject)?;
    T::deserialize(Value::Object(members)).map(JsonBody).map_err(|_| ApiError::BodyNotObject)
}

/// Returns `true` if the only type is `application/json`. Requiring it also rejects forms of other sites: browsers send
/// it only after a CORS preflight.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Returns `true` if the body has a content coding (RFC 9110 §8.4). None is decoded: a few bytes could become any number.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn read(request: axum::http::request::Builder, body: Body) -> Result<Value, u16> {
        let request = request.header(CONTENT_TYPE, "application/json").body(body).unwrap();
        let read = <JsonBody<Value> as FromRequest<()>>::from_request(request, &()).await;
        read.map(|JsonBody(value)| value).map_err(|error| error.into_response().status().as_u16())
    }

    #[tokio::test(start_paused = true)]
    async fn body_that_arrives_too_slowly_is_rejected() {
        for (pause, expected) in [(100, Ok(serde_json::json!({}))), (6_000, Err(408)), (600_000, Err(408))] {
            let chunks = futures_util::stream::unfold(b"{}".iter(), move |mut rest| async move {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                rest.next().map(|byte| (Ok::<_, std::convert::Infallible>(vec![*byte]), rest))
            });
            let started = tokio::time::Instant::now();
            assert_eq!(read(Request::post("/"), Body::from_stream(chunks)).await, expected, "{pause}");
            assert!(started.elapsed() <= MAX_TIME, "{pause}: {:?}", started.elapsed());
        }
    }
}
