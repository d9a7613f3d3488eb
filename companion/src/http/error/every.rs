//! Every error and every mistake in a field, for the documents that list them.

use time::Duration;

use super::{ApiError, FieldError};
use crate::domain::account::email::InvalidEmail;
use crate::domain::account::name::InvalidName;
use crate::domain::account::password::InvalidPassword;
use crate::domain::guard::Limit;
use crate::domain::token::jws::SigningError;
use crate::hashing::HashingError;
use crate::http::extract::invalid_text::InvalidText;
use crate::service::Error;

/// Lists an error of each kind. Each mistake in a field has an error of its own.
pub(in crate::http) fn every_error() -> Vec<ApiError> {
    let database = || sqlx::Error::WorkerCrashed;
    let service = [
        Error::WrongCredentials,
        Error::TooManyAttempts {
            limit: Limit::new(20, Duration::minutes(20)),
            retry_after: Duration::MINUTE,
        },
        Error::NotSignedIn,
        Error::Disabled,
        Error::PasswordChanged,
        Error::Contended,
        Error::EmailTaken,
        Error::UserUnknown,
        Error::SessionUnknown,
        Error::FeedNotReady,
        Error::Hashing(HashingError::Busy),
        Error::Hashing(HashingError::Failed),
        Error::Signing(SigningError),
        Error::Unavailable(database()),
        Error::Database(database()),
        Error::Panicked,
    ];
    let own = [
        ApiError::BodyNotObject,
        ApiError::QueryInvalid,
        ApiError::EdgeSecretWrong,
        ApiError::NotFound,
        ApiError::MethodNotAllowed,
        ApiError::BodyTooLarge,
        ApiError::ContentTypeNotJson,
        ApiError::TimedOut,
        ApiError::NotReady,
        ApiError::MissingLayer,
        ApiError::Panicked,
    ];
    let fields = every_mistake().into_iter().map(|mistake| ApiError::FieldsInvalid(vec![mistake]));
    own.into_iter().chain(service.map(ApiError::Service)).chain(fields).collect()
}

/// Lists every mistake in a field, each in one of the fields that can have it.
pub(in crate::http) fn every_mistake() -> Vec<FieldError> {
    let mistake = |field, mistake: &dyn InvalidText| FieldError {
        field,
        code: mistake.code(),
        message: mistake.to_string(),
    };
    vec![
        FieldError { field: "email", code: "required", message: "email is required".to_owned() },
        FieldError { field: "email", code: "not_text", message: "email must be a text".to_owned() },
        mistake("firstName", &InvalidName::TooLong),
        mistake("firstName", &InvalidName::InvisibleCharacter),
        mistake("email", &InvalidEmail::Malformed),
        mistake("email", &InvalidEmail::NotAscii),
        mistake("email", &InvalidEmail::InvisibleCharacter),
        mistake("email", &InvalidEmail::TooLong),
        mistake("password", &InvalidPassword::TooShort),
        mistake("password", &InvalidPassword::TooLong),
        mistake("password", &InvalidPassword::ControlCharacter),
    ]
}
