//! A JSON body, taken field by field so that every field's mistake is named at once. No field is known here.

use std::fmt::Display;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{RequestExt, extract::DefaultBodyLimit};
use serde_json::{Map, Value};

use super::error::{FieldMistake, Refusal};

/// The largest body that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// U+FEFF in UTF-8. Some clients begin a text with it; RFC 8259 §8.1 lets a parser ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of a body that are not taken yet. What nobody takes is ignored and sets nothing.
pub(super) struct Form {
    fields: Map<String, Value>,
    mistakes: Vec<FieldMistake>,
}

impl Form {
    /// Takes a text field. `None`: it is missing or wrong, which [`Form::finish`] will say.
    pub(super) fn take<T, M: Display>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, M>,
    ) -> Option<T> {
        let parsed = match self.fields.remove(field) {
            None | Some(Value::Null) => Err(format!("{field} is required")),
            Some(Value::String(text)) => parse(&text).map_err(|mistake| mistake.to_string()),
            Some(_) => Err(format!("{field} must be a text")),
        };
        parsed.map_err(|message| self.mistakes.push(FieldMistake { field, message })).ok()
    }

    /// All that was wrong.
    pub(super) fn finish(self) -> Refusal {
        Refusal::Fields(self.mistakes)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::NotJson);
        }
        DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
        let bytes: Bytes =
            request.extract().await.map_err(|rejection: axum::extract::rejection::BytesRejection| {
                if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                    Refusal::TooLarge
                } else {
                    Refusal::NotAnObject
                }
            })?;
        let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        match serde_json::from_slice(json) {
            Ok(Value::Object(fields)) => Ok(Self { fields, mistakes: Vec::new() }),
            Ok(_) | Err(_) => Err(Refusal::NotAnObject),
        }
    }
}

/// Asking for this type also keeps forms of other sites out: a browser sends it only after a CORS preflight.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
