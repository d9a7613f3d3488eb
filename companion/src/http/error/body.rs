//! Body of error responses.

use std::borrow::Cow;

use serde::Serialize;

use super::ApiError;
use crate::http::extract::invalid_text::InvalidText as _;
use crate::service;

/// Code of an error, in the extensions of its response: the pages show it in words of their own.
#[derive(Clone, Copy)]
pub(in crate::http) struct ErrorCode(pub(in crate::http) &'static str);

/// Mistake in one field. It never contains the field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON name of the field, or name of the parameter.
    pub field: Cow<'static, str>,
    /// `body` or `query`.
    pub location: &'static str,
    /// Stable, machine-readable code.
    pub code: &'static str,
    /// Message for people.
    pub message: String,
}

/// Body of every error response.
#[derive(Serialize)]
pub(super) struct ErrorBody {
    message: &'static str,
    /// Front ends show the first one's `msg`, so the list is never empty.
    errors: Vec<ErrorEntry>,
}

/// One mistake: `code` is stable, `msg` is for people.
#[derive(Serialize)]
struct ErrorEntry {
    r#type: &'static str,
    msg: String,
    path: Cow<'static, str>,
    location: &'static str,
    code: &'static str,
}

impl ErrorBody {
    /// Makes the body of an error with this code and message. Each mistake in a field has its own.
    pub(super) fn new(error: &ApiError, code: &'static str, message: &'static str) -> Self {
        let errors = match error {
            ApiError::FieldsInvalid(errors) => errors
                .iter()
                .map(|error| ErrorEntry {
                    r#type: "field",
                    msg: error.message.clone(),
                    path: error.field.clone(),
                    location: error.location,
                    code: error.code,
                })
                .collect(),
            ApiError::Service(service::Error::PasswordWeak(weak)) => vec![ErrorEntry {
                r#type: "field",
                msg: weak.to_string(),
                path: Cow::Borrowed("password"),
                location: "body",
                code: weak.code(),
            }],
            _ => vec![ErrorEntry {
                r#type: "request",
                msg: message.to_owned(),
                path: Cow::Borrowed(""),
                location: "",
                code,
            }],
        };
        Self { message, errors }
    }

    /// Returns the codes of the mistakes.
    pub(super) fn codes(&self) -> Vec<&'static str> {
        self.errors.iter().map(|entry| entry.code).collect()
    }

    /// Returns the fields that have mistakes, each with its code.
    pub(super) fn mistakes(self) -> Vec<(String, &'static str)> {
        let fields = self.errors.into_iter().filter(|entry| !entry.path.is_empty());
        fields.map(|entry| (entry.path.into_owned(), entry.code)).collect()
    }
}

impl ApiError {
    /// Returns the codes for the client: one, or one for each field.
    pub(in crate::http) fn codes(&self) -> Vec<&'static str> {
        let (_, code, message) = self.public();
        ErrorBody::new(self, code, message).codes()
    }

    /// Returns the mistakes in fields: the name of each field, and the code.
    pub(in crate::http) fn mistakes(&self) -> Vec<(String, &'static str)> {
        ErrorBody::new(self, "", "").mistakes()
    }

    /// Returns the body of the response.
    pub(in crate::http) fn body(&self) -> serde_json::Value {
        let (_, code, message) = self.public();
        serde_json::json!(ErrorBody::new(self, code, message))
    }
}
