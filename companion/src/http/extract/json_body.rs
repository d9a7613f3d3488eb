//! Extractor of JSON bodies, which reports the mistakes of all fields at once.

use std::borrow::Cow;
use std::fmt;

use axum::extract::{FromRequest, Request};
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::body::{self, Kind};
use super::invalid_text::InvalidText;
use crate::http::error::{ApiError, FieldError};

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

    /// Returns the error with one mistake.
    pub(in crate::http) fn of(field: &'static str, mistake: &impl InvalidText) -> ApiError {
        let mut errors = Self::default();
        errors.reject::<()>(field, mistake);
        errors.into_error()
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
            Err(invalid) => self.reject(field, &invalid),
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

    /// Collects the mistake of a value that does not parse.
    pub(in crate::http) fn reject<T>(
        &mut self,
        field: &'static str,
        mistake: &impl InvalidText,
    ) -> Option<T> {
        self.add(field, mistake.code(), mistake.to_string())
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
        parse(&body::read(request, Kind::Json).await?)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<JsonBody<T>, ApiError> {
    let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let Members(members) = serde_json::from_slice(json).map_err(|_| ApiError::BodyNotObject)?;
    T::deserialize(Value::Object(members)).map(JsonBody).map_err(|_| ApiError::BodyNotObject)
}
