//! Body of error responses.

use std::borrow::Cow;

use serde::Serialize;

use super::ApiError;
use crate::http::extract::invalid_text::InvalidText as _;
use crate::service;

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
