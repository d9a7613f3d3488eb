//! Errors of the API. This is the only place that chooses a status for an error.

mod api_error;
mod body;
mod challenge;
pub(super) mod every;
pub(super) mod fallback;
pub(super) mod limit;

use axum::http::header::{ACCEPT_ENCODING, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use edgeward_wire::error_code;

pub use self::api_error::ApiError;
use self::body::ErrorBody;
pub(super) use self::body::ErrorCode;
pub use self::body::FieldError;
use crate::hashing::HashingError;
use crate::service;

/// Status, stable code and message for the client.
type Public = (StatusCode, &'static str, &'static str);

/// Response to mistakes in fields. Each field has a code of its own.
const FIELDS_INVALID: Public = (StatusCode::BAD_REQUEST, "", "Some fields are missing or wrong");

/// Response to a failure of the service. It does not tell the client its cause.
const INTERNAL: Public = (StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error");

impl ApiError {
    /// Chooses the status, code and message for the client.
    fn public(&self) -> Public {
        match self {
            Self::FieldsInvalid(_) => FIELDS_INVALID,
            Self::BodyNotObject => {
                (StatusCode::BAD_REQUEST, "body_not_object", "The body is not a JSON object")
            }
            Self::BodyNotForm => (StatusCode::BAD_REQUEST, "body_not_form", "The body is not a form"),
            Self::FormForged => {
                (StatusCode::FORBIDDEN, "form_forged", "The form was not sent by our own page")
            }
            Self::QueryInvalid => (StatusCode::BAD_REQUEST, "query_invalid", "The query cannot be read"),
            Self::EdgeSecretWrong | Self::NotAdmin => {
                (StatusCode::FORBIDDEN, error_code::NOT_ALLOWED, "Not allowed")
            }
            Self::AuthenticationOutdated { .. } | Self::FactorMissing => (
                StatusCode::UNAUTHORIZED,
                error_code::INSUFFICIENT_USER_AUTHENTICATION,
                "Please confirm who you are",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed")
            }
            Self::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than 64 KiB")
            }
            Self::BodyTooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "body_too_slow", "The body took longer than 10 s to arrive")
            }
            Self::ContentEncoded => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_encoded",
                "The body must have no Content-Encoding",
            ),
            Self::ContentTypeNotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_type_not_json",
                "The body must be application/json",
            ),
            Self::ContentTypeNotForm => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_type_not_form",
                "The body must be application/x-www-form-urlencoded",
            ),
            Self::TimedOut => {
                (StatusCode::SERVICE_UNAVAILABLE, "timed_out", "It took too long, please try again")
            }
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not ready"),
            Self::Service(error) => public_service_error(error),
            Self::MissingLayer
            | Self::Panicked
            | Self::NoRandomness
            | Self::Rendering(_)
            | Self::Formatting(_) => INTERNAL,
        }
    }

    /// Returns the status for the client.
    pub(super) fn status(&self) -> StatusCode {
        self.public().0
    }

    /// Returns the message for the client.
    pub(super) fn message(&self) -> &'static str {
        self.public().2
    }

    /// Returns `true` for a failure of the service, which is no mistake of the client's.
    pub(super) fn is_internal(&self) -> bool {
        self.status() == StatusCode::INTERNAL_SERVER_ERROR
    }
}

fn public_service_error(error: &service::Error) -> Public {
    use service::Error;
    match error {
        Error::WrongCredentials => {
            (StatusCode::UNAUTHORIZED, "credentials_wrong", "E-mail or password is wrong")
        }
        Error::TooManyAttempts { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", "Too many attempts, please try again later")
        }
        Error::WrongFactor => (StatusCode::UNAUTHORIZED, "factor_wrong", "The code is wrong, or was used"),
        Error::PendingLoginUnknown => {
            (StatusCode::UNAUTHORIZED, "login_expired", "The sign-in has expired: sign in again")
        }
        Error::PasskeyUnknown => {
            (StatusCode::UNAUTHORIZED, "passkey_unknown", "This passkey belongs to no account here")
        }
        Error::PasskeyWrong => {
            (StatusCode::UNAUTHORIZED, "passkey_wrong", "The response of the passkey is not valid")
        }
        Error::ChallengeUnknown => {
            (StatusCode::CONFLICT, "challenge_expired", "It took too long, or is done already: begin again")
        }
        Error::TooManyFactors => {
            (StatusCode::CONFLICT, "too_many_factors", "There are 20 factors: remove one first")
        }
        Error::TooFewWays => {
            (StatusCode::CONFLICT, "too_few_ways", "Add another factor, or make recovery codes, first")
        }
        Error::NotSignedIn => (StatusCode::UNAUTHORIZED, error_code::NOT_SIGNED_IN, "Not signed in"),
        Error::Disabled => (StatusCode::FORBIDDEN, "account_disabled", "This account is disabled"),
        Error::PasswordWeak(_) => FIELDS_INVALID,
        Error::EmailTaken => (StatusCode::CONFLICT, "email_taken", "This e-mail is already registered"),
        Error::LastAdmin => {
            (StatusCode::CONFLICT, "last_admin", "This is the last administrator: name another one first")
        }
        Error::LinkInvalid => (StatusCode::BAD_REQUEST, "link_invalid", "The link or code is not valid"),
        Error::UserUnknown
        | Error::SessionUnknown
        | Error::FactorUnknown
        | Error::MailOff
        | Error::PasskeysOff => (StatusCode::NOT_FOUND, "not_found", "Not found"),
        // One response for both: neither gives a hint about the account.
        Error::PasswordChanged | Error::Contended | Error::Hashing(HashingError::Busy) => {
            (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too busy, please try again")
        }
        Error::Unavailable(_) | Error::FeedUnread => (
            StatusCode::SERVICE_UNAVAILABLE,
            "database_unavailable",
            "The database is not available, please try again",
        ),
        Error::Database(_)
        | Error::Hashing(HashingError::Failed)
        | Error::Signing(_)
        | Error::NoRandomness
        | Error::Sealing
        | Error::Panicked => INTERNAL,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message) = self.public();
        // Failures are logged here and nowhere else, so once.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(cause = %self, "request failed");
        } else if status.is_server_error() {
            tracing::warn!(cause = %self, "request rejected");
        }
        let body = Json(ErrorBody::new(&self, code, message));
        let mut response = (status, Extension(ErrorCode(code)), body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Self::Service(service::Error::TooManyAttempts { limit, retry_after }) = self {
            limit::describe(response.headers_mut(), limit, retry_after);
        }
        // RFC 9110 §15.5.16.
        if matches!(self, Self::ContentEncoded) {
            response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge::of(&self));
        }
        response
    }
}

#[cfg(test)]
mod tests;
