//! The errors against the page that documents them, in both directions.

use std::collections::BTreeSet;

use super::*;
use crate::domain::account::email::InvalidEmail;
use crate::domain::account::name::InvalidName;
use crate::domain::account::password::InvalidPassword;
use crate::domain::token::jws::SigningError;
use crate::http::extract::invalid_text::InvalidText;
use crate::service::Error;

const PAGE: &str = include_str!("../../../../docs/reference/errors.md");

/// Rows of a table of the page, below a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let section = PAGE.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(str::to_owned).collect()
}

#[test]
fn every_error_is_documented_and_no_other() {
    let database = || sqlx::Error::WorkerCrashed;
    let service = [
        Error::WrongCredentials,
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
    let rows = own.into_iter().chain(service.map(ApiError::Service)).map(|error| {
        let (status, code, message) = error.public();
        format!("| {} | `{code}` | {message} |", status.as_u16())
    });
    let fields = "| 400 | (one for each field, below) | Some fields are missing or wrong |".to_owned();
    assert_eq!(rows.chain([fields]).collect::<BTreeSet<_>>(), documented("## Codes of requests"));
}

#[test]
fn every_mistake_in_a_field_is_documented() {
    let mistakes: [(&str, &dyn InvalidText); 9] = [
        ("`firstName`, `lastName`", &InvalidName::TooLong),
        ("`firstName`, `lastName`", &InvalidName::InvisibleCharacter),
        ("`email`", &InvalidEmail::Malformed),
        ("`email`", &InvalidEmail::NotAscii),
        ("`email`", &InvalidEmail::InvisibleCharacter),
        ("`email`", &InvalidEmail::TooLong),
        ("`password`", &InvalidPassword::TooShort),
        ("`password`", &InvalidPassword::TooLong),
        ("`password`", &InvalidPassword::ControlCharacter),
    ];
    let rows = mistakes.map(|(path, mistake)| format!("| {path} | `{}` | {mistake} |", mistake.code()));
    let missing = [("required", "is required"), ("not_text", "must be a text")];
    let missing = missing.map(|(code, message)| format!("| any field | `{code}` | … {message} |"));
    let expected: BTreeSet<_> = rows.into_iter().chain(missing).collect();
    assert_eq!(expected, documented("## Codes of fields"));
}
