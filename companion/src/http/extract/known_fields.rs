//! Fields of a body or a query that all have to be known: an administrator must not believe in one that had no effect.

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde_json::{Map, Value};

use super::invalid_text::InvalidText;
use super::json_body::FieldErrors;
use crate::http::error::ApiError;

/// Maximum number of unknown fields that a response names. Chosen: more than anybody misspells.
const MAX_UNKNOWN: usize = 10;
/// Maximum length of the name of an unknown field in a response, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Message about an unknown field.
pub(in crate::http) const UNKNOWN: &str = "There is no field of this name here";

/// Fields that have not been taken yet, and the mistakes in those that have.
pub(in crate::http) struct KnownFields {
    fields: Map<String, Value>,
    errors: FieldErrors,
}

impl KnownFields {
    /// Makes the fields of the members of a body.
    pub(in crate::http) fn of_body(fields: Map<String, Value>) -> Self {
        Self { fields, errors: FieldErrors::default() }
    }

    /// Returns what was given for a field; empty if nothing was.
    pub(in crate::http) fn typed(&self, field: &str) -> String {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Forgets the fields without content, which a form sends too.
    pub(in crate::http) fn drop_empty(&mut self) {
        self.fields.retain(|_, value| value.as_str() != Some(""));
    }

    /// Takes a text. `None` if it is absent or wrong; the mistake is collected.
    pub(in crate::http) fn parse<T, E: InvalidText>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.fields.remove(field)? {
            Value::String(text) => match parse(&text) {
                Ok(parsed) => Some(parsed),
                Err(invalid) => self.errors.add(field, invalid.code(), capitalize(&invalid.to_string())),
            },
            _ => self.errors.add(field, "not_text", format!("{field} must be a text")),
        }
    }

    /// Takes a value of another type. `None` if it is absent or wrong; the mistake is collected, with what is expected.
    pub(in crate::http) fn read<T>(
        &mut self,
        field: &'static str,
        code: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.fields.remove(field)?;
        read(&value).or_else(|| self.errors.add(field, code, format!("{field} must be {expected}")))
    }

    /// Requires that nothing is left and nothing was wrong.
    ///
    /// # Errors
    /// [`ApiError::FieldsInvalid`] with all mistakes.
    pub(in crate::http) fn finish(mut self) -> Result<(), ApiError> {
        for name in self.fields.keys().take(MAX_UNKNOWN) {
            let name: String = name.chars().take(MAX_NAME_CHARS).collect();
            self.errors.add::<()>(name, "unknown", UNKNOWN.to_owned());
        }
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors.into_error()) }
    }
}

/// The parameters of the query.
impl<S: Send + Sync> FromRequestParts<S> for KnownFields {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) = pairs.map_err(|_: QueryRejection| ApiError::QueryInvalid)?;
        let count = pairs.len();
        let fields: Map<String, Value> =
            pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        // Which of two should count?
        if fields.len() == count {
            Ok(Self { fields, errors: FieldErrors::of_query() })
        } else {
            Err(ApiError::QueryInvalid)
        }
    }
}

/// Returns a message as the API sends it: messages of the command line begin in lower case.
pub(in crate::http) fn capitalize(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
