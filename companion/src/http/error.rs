//! Why a request is rejected, and with what: the only place where the status for an error is chosen.

use std::any::Any;
use std::convert::Infallible;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use thiserror::Error;

use super::extract::json_body::InvalidText;
use crate::domain::account::email::InvalidEmail;
use crate::domain::account::name::InvalidName;
use crate::domain::account::password::InvalidPassword;
use crate::hashing::HashingError;
use crate::service;

/// Reason that a request is rejected. The messages are for the log; what the client is told is in [`ApiError::told`].
#[derive(Debug, Error)]
pub enum ApiError {
    /// Fields of the body are missing or wrong; all of them are named.
    #[error("fields are missing or wrong")]
    Fields(Vec<FieldError>),
    /// The body is not a JSON object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// The query cannot be read, or says something twice.
    #[error("the query cannot be read")]
    QueryUnreadable,
    /// The edge's secret is missing or wrong. Not 401, which would tell the edge that a session is over.
    #[error("the edge's secret is missing or wrong")]
    EdgeUnknown,
    /// There is nothing here.
    #[error("not found")]
    NotFound,
    /// There is something here, but not for this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The body has more than 64 KiB.
    #[error("the body is too large")]
    TooLarge,
    /// The body is not declared as JSON.
    #[error("the body is not declared as JSON")]
    NotJson,
    /// It took too long.
    #[error("the time was up")]
    TimedOut,
    /// The database does not have our schema, or does not respond when asked whether it is ready.
    #[error("not ready")]
    NotReady,
    /// A handler was called without the layers that stand around it.
    #[error("a layer is missing around the handler")]
    NotObserved,
    /// A handler panicked.
    #[error("a handler panicked")]
    Panicked,
    /// A page could not be rendered.
    #[error(transparent)]
    Rendering(askama::Error),
    /// A use case failed.
    #[error(transparent)]
    Service(#[from] service::Error),
}

/// Mistake in one field. It never holds the field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON name of the field.
    pub field: &'static str,
    /// Machine-readable name of the mistake.
    pub code: &'static str,
    /// What is wrong with the field.
    pub message: String,
}

/// Body of every error response.
#[derive(Serialize)]
struct ErrorBody {
    message: &'static str,
    errors: Vec<ErrorEntry>,
}

/// One mistake. `code` is stable, `msg` is for people.
#[derive(Serialize)]
struct ErrorEntry {
    r#type: &'static str,
    msg: String,
    path: &'static str,
    location: &'static str,
    code: &'static str,
}

impl ApiError {
    /// What the client is told: status, stable code and message.
    fn told(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Fields(_) => {
                (StatusCode::BAD_REQUEST, "fields_invalid", "Some fields are missing or wrong")
            }
            Self::NotAnObject => {
                (StatusCode::BAD_REQUEST, "body_not_object", "The body is not a JSON object")
            }
            Self::QueryUnreadable => (StatusCode::BAD_REQUEST, "query_invalid", "The query cannot be read"),
            Self::EdgeUnknown => (StatusCode::FORBIDDEN, "not_allowed", "Not allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed")
            }
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than 64 KiB")
            }
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_type_not_json",
                "The body must be application/json",
            ),
            Self::TimedOut => {
                (StatusCode::SERVICE_UNAVAILABLE, "timed_out", "It took too long, please try again")
            }
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not ready"),
            Self::Service(error) => told_of_service(error),
            Self::NotObserved | Self::Panicked | Self::Rendering(_) => INTERNAL,
        }
    }

    fn entries(&self, code: &'static str, message: &'static str) -> Vec<ErrorEntry> {
        match self {
            Self::Fields(errors) => errors
                .iter()
                .map(|error| ErrorEntry {
                    r#type: "field",
                    msg: error.message.clone(),
                    path: error.field,
                    location: "body",
                    code: error.code,
                })
                .collect(),
            // Front ends show `errors[0].msg`, so there is always one.
            _ => {
                vec![ErrorEntry { r#type: "request", msg: message.to_owned(), path: "", location: "", code }]
            }
        }
    }
}

/// What the client is told of a failure of ours.
const INTERNAL: (StatusCode, &str, &str) =
    (StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error");

fn told_of_service(error: &service::Error) -> (StatusCode, &'static str, &'static str) {
    use service::Error;
    match error {
        Error::WrongCredentials => {
            (StatusCode::UNAUTHORIZED, "credentials_wrong", "E-mail or password is wrong")
        }
        Error::NotSignedIn => (StatusCode::UNAUTHORIZED, "not_signed_in", "Not signed in"),
        Error::Disabled => (StatusCode::FORBIDDEN, "account_disabled", "This account is disabled"),
        Error::EmailTaken => (StatusCode::CONFLICT, "email_taken", "This e-mail is already registered"),
        Error::UserUnknown | Error::SessionUnknown => (StatusCode::NOT_FOUND, "not_found", "Not found"),
        // The client is not told which of the two it was.
        Error::PasswordChanged | Error::Hashing(HashingError::Busy) => {
            (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too busy, please try again")
        }
        Error::FeedNotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not ready"),
        Error::Database(error) if is_away(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "database_unavailable",
            "The database is not available, please try again",
        ),
        Error::Database(_) | Error::Hashing(HashingError::Failed) | Error::Signing(_) | Error::Panicked => {
            INTERNAL
        }
    }
}

/// `true` if an error says that the database is not there, or has no room for us, so that trying again helps.
fn is_away(error: &sqlx::Error) -> bool {
    /// Connection lost, rolled back for another's sake, insufficient resources, a lock not had in time, operator
    /// intervention and timeouts; and what only a standby reports, to whoever writes or reads unlogged tables
    /// (Postgres, appendix A).
    const AWAY: [&str; 7] = ["08", "40", "53", "55P03", "57", "25006", "0A000"];
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| AWAY.iter().any(|away| code.starts_with(away)))
        }
        _ => false,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message) = self.told();
        // Here a failure is handled, so here it is logged, once.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(cause = %self, "request failed");
        } else if status.is_server_error() {
            tracing::warn!(cause = %self, "request rejected");
        }
        let body = ErrorBody { message, errors: self.entries(code, message) };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 requires a challenge.
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl InvalidText for InvalidEmail {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "email_too_long",
            Self::InvisibleCharacter => "email_has_invisible_character",
            Self::NotAscii => "email_not_ascii",
            Self::Malformed => "email_malformed",
        }
    }
}

impl InvalidText for InvalidName {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "name_too_long",
            Self::InvisibleCharacter => "name_has_invisible_character",
        }
    }
}

impl InvalidText for InvalidPassword {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::ControlCharacter => "password_has_control_character",
        }
    }
}

impl InvalidText for Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }
}

pub(super) async fn not_found() -> ApiError {
    ApiError::NotFound
}

/// axum adds the `Allow` header.
pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

pub(super) fn on_panic(_: Box<dyn Any + Send>) -> Response {
    ApiError::Panicked.into_response()
}
