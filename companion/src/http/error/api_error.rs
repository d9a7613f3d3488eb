//! Errors of the API, by their reasons. `http::error` chooses their statuses.

use thiserror::Error;
use time::Duration;

use super::FieldError;
use crate::service;

/// Reason for an error response. `Display` is for the log; `ApiError::public` has the status, code and message for
/// the client.
#[derive(Debug, Error)]
pub enum ApiError {
    /// Fields of the body, or parameters of the query, are missing or wrong. The list is complete.
    #[error("fields are missing or wrong")]
    FieldsInvalid(Vec<FieldError>),
    /// The body is not a JSON object.
    #[error("the body is not a JSON object")]
    BodyNotObject,
    /// The body is not a form.
    #[error("the body is not a form")]
    BodyNotForm,
    /// The form was not sent by our own page.
    #[error("the form was not sent by our own page")]
    FormForged,
    /// The query does not parse, or repeats a parameter.
    #[error("the query cannot be read")]
    QueryInvalid,
    /// The edge's secret is missing or wrong. The status is not 401: for the edge that means the end of a session.
    #[error("the edge's secret is missing or wrong")]
    EdgeSecretWrong,
    /// The user has to prove anew who they are.
    #[error("the user's last authentication is older than {max_age}")]
    AuthenticationOutdated {
        /// Maximum age of the last authentication.
        max_age: Duration,
    },
    /// The user's second factor is missing from the last authentication.
    #[error("the second factor is missing from the user's last authentication")]
    FactorMissing,
    /// The user is not an administrator.
    #[error("the user is not an administrator")]
    NotAdmin,
    /// No route or resource has this path.
    #[error("not found")]
    NotFound,
    /// The route does not have this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The body has more than 64 KiB.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body took longer than 10 s to arrive.
    #[error("the body arrived too slowly")]
    BodyTooSlow,
    /// The body has a content coding, such as gzip.
    #[error("the body has a content coding")]
    ContentEncoded,
    /// The `Content-Type` is not `application/json`.
    #[error("the body is not declared as JSON")]
    ContentTypeNotJson,
    /// The `Content-Type` is not `application/x-www-form-urlencoded`.
    #[error("the body is not declared as a form")]
    ContentTypeNotForm,
    /// The response took longer than 25 s.
    #[error("the request timed out")]
    TimedOut,
    /// The database is unreachable or does not have our schema, or the service is about to stop.
    #[error("not ready")]
    NotReady,
    /// A handler was called without its layers.
    #[error("a layer around the handler is missing")]
    MissingLayer,
    /// A handler panicked.
    #[error("a handler panicked")]
    Panicked,
    /// The system has no random bytes.
    #[error("cannot read random bytes from the system")]
    NoRandomness,
    /// The template of a page failed.
    #[error(transparent)]
    Rendering(askama::Error),
    /// The metrics cannot be written.
    #[error(transparent)]
    Formatting(std::fmt::Error),
    /// A use case failed.
    #[error(transparent)]
    Service(#[from] service::Error),
}
