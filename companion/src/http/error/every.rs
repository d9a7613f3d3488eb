//! Every error and every mistake in a field, for the documents that list them.

use std::borrow::Cow;
use time::Duration;
use zxcvbn::feedback::Feedback;

use super::{ApiError, FieldError};
use crate::domain::InvalidUserId;
use crate::domain::account::email::InvalidEmail;
use crate::domain::account::name::InvalidName;
use crate::domain::account::password::{InvalidPassword, MIN_CHARS};
use crate::domain::account::password_policy::WeakPasswordRejection;
use crate::domain::account::role::InvalidRole;
use crate::domain::account::search::InvalidSearch;
use crate::domain::audit::list::{InvalidActor, InvalidEvent};
use crate::domain::factor::code::InvalidFactorCode;
use crate::domain::factor::ticket::InvalidTicket;
use crate::domain::guard::Limit;
use crate::domain::page::{InvalidCursor, InvalidPageSize};
use crate::domain::time::InvalidTime;
use crate::domain::token::jws::SigningError;
use crate::hashing::HashingError;
use crate::http::extract::invalid_text::{InvalidCredential, InvalidText, WrongCode, WrongCredential};
use crate::http::extract::known_fields::{UNKNOWN, capitalize};
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
        Error::WrongFactor,
        Error::PendingLoginUnknown,
        Error::ChallengeUnknown,
        Error::PasskeysOff,
        Error::PasskeyUnknown,
        Error::PasskeyWrong,
        Error::FactorUnknown,
        Error::TooManyFactors,
        Error::TooFewWays,
        Error::NoRandomness,
        Error::Sealing,
        Error::EmailTaken,
        Error::UserUnknown,
        Error::LastAdmin,
        Error::SessionUnknown,
        Error::LinkInvalid,
        Error::MailOff,
        Error::FeedUnread,
        Error::Hashing(HashingError::Busy),
        Error::Hashing(HashingError::Failed),
        Error::Signing(SigningError),
        Error::Unavailable(database()),
        Error::Database(database()),
        Error::Panicked,
    ];
    let own = [
        ApiError::BodyNotObject,
        ApiError::BodyNotForm,
        ApiError::FormForged,
        ApiError::QueryInvalid,
        ApiError::EdgeSecretWrong,
        ApiError::NotAdmin,
        ApiError::AuthenticationOutdated { max_age: Duration::DAY },
        ApiError::FactorMissing,
        ApiError::NotFound,
        ApiError::MethodNotAllowed,
        ApiError::BodyTooLarge,
        ApiError::BodyTooSlow,
        ApiError::ContentEncoded,
        ApiError::ContentTypeNotForm,
        ApiError::ContentTypeNotJson,
        ApiError::TimedOut,
        ApiError::NotReady,
        ApiError::MissingLayer,
        ApiError::Panicked,
    ];
    let fields = every_mistake()
        .into_iter()
        .chain(every_admin_mistake())
        .map(|mistake| ApiError::FieldsInvalid(vec![mistake]));
    own.into_iter().chain(service.map(ApiError::Service)).chain(fields).collect()
}

/// Lists every mistake in a field, each in one of the fields that can have it, without those of the admin API.
pub(in crate::http) fn every_mistake() -> Vec<FieldError> {
    let mistake = |field, mistake: &dyn InvalidText| body(field, mistake.code(), mistake.to_string());
    vec![
        body("email", "required", "email is required".to_owned()),
        body("email", "not_text", "email must be a text".to_owned()),
        mistake("firstName", &InvalidName::TooLong),
        mistake("firstName", &InvalidName::InvisibleCharacter),
        mistake("email", &InvalidEmail::Malformed),
        mistake("email", &InvalidEmail::NotAscii),
        mistake("email", &InvalidEmail::InvisibleCharacter),
        mistake("email", &InvalidEmail::TooLong),
        mistake("password", &InvalidPassword::TooShort { min: MIN_CHARS }),
        mistake("password", &InvalidPassword::TooLong),
        mistake("password", &InvalidPassword::ControlCharacter),
        // Advice follows.
        mistake("password", &WeakPasswordRejection::TooCommon(Some(Feedback::default()))),
        mistake("password", &WeakPasswordRejection::TooWeak(Some(Feedback::default()))),
        mistake("code", &InvalidFactorCode),
        mistake("code", &WrongCode),
        mistake("token", &InvalidTicket),
        mistake("credential", &InvalidCredential),
        mistake("credential", &WrongCredential),
    ]
}

/// Lists every mistake in a field or a parameter of the admin API that other calls do not have.
pub(in crate::http) fn every_admin_mistake() -> Vec<FieldError> {
    let query = |field, mistake: &dyn InvalidText| FieldError {
        location: "query",
        ..body(field, mistake.code(), capitalize(&mistake.to_string()))
    };
    vec![
        body("ids", "ids_malformed", "ids must be 1 to 100 session IDs".to_owned()),
        body("disabled", "not_true_or_false", "disabled must be true or false".to_owned()),
        query("role", &InvalidRole),
        query("search", &InvalidSearch::TooLong),
        query("search", &InvalidSearch::InvisibleCharacter),
        query("limit", &InvalidPageSize),
        query("cursor", &InvalidCursor),
        query("userId", &InvalidUserId),
        query("event", &InvalidEvent),
        query("actor", &InvalidActor),
        query("from", &InvalidTime),
        body("nickname", "unknown", UNKNOWN.to_owned()),
    ]
}

fn body(field: &'static str, code: &'static str, message: String) -> FieldError {
    FieldError { field: Cow::Borrowed(field), location: "body", code, message }
}
