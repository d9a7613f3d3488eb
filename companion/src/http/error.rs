//! Why a request is refused, and with what: the only place where a refusal's status is chosen.

use std::any::Any;
use std::fmt;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::task::JoinError;

use crate::db::users::InsertRefused;
use crate::domain::hashing::HashingRefused;
use crate::domain::jws::SigningFailed;

/// Why a request is refused. It has no `Debug`: that of a database error can show the row.
pub enum Refusal {
    /// Fields of the body are missing or wrong; all of them are named.
    Fields(Vec<FieldMistake>),
    /// The body is not a JSON object.
    NotAnObject,
    /// The query cannot be read, or says something twice.
    QueryUnreadable,
    /// The e-mail or the password is wrong; which of them is not told.
    WrongCredentials,
    /// Not signed in, or not any more; why is not told.
    NotSignedIn,
    /// The edge's secret is missing or wrong. Not 401, which would tell the edge that a session is over.
    EdgeUnknown,
    /// The password is right, but the user may not sign in.
    Disabled,
    /// There is nothing here.
    NotFound,
    /// There is something here, but not for this method.
    MethodNotAllowed,
    /// The e-mail is another user's.
    EmailTaken,
    /// The body has more than 64 KiB.
    TooLarge,
    /// The body is not declared as JSON.
    NotJson,
    /// Too many passwords are being hashed.
    Busy,
    /// The password was changed while it was being compared.
    PasswordChanged,
    /// It took too long.
    TimedOut,
    /// The database does not have our schema, or does not answer when asked whether it is ready.
    NotReady,
    /// The database is not there, or has no room for us.
    DatabaseAway(sqlx::Error),
    /// The database answered with an error.
    Database(sqlx::Error),
    /// The signing key did not sign.
    Signing(SigningFailed),
    /// What a refresh has written is not what was decided: no token is given for it.
    SessionInDoubt,
    /// A password could not be hashed.
    Hashing,
    /// A page could not be rendered.
    Rendering(askama::Error),
    /// A handler panicked.
    Panicked,
}

/// What is wrong with one field. It never holds the field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMistake {
    /// The field's JSON name.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

#[derive(Serialize)]
struct Body {
    message: &'static str,
    errors: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    r#type: &'static str,
    msg: String,
    path: &'static str,
    location: &'static str,
}

impl Refusal {
    /// What the client is told.
    fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Fields(_) => (StatusCode::BAD_REQUEST, "Some fields are missing or wrong"),
            Self::NotAnObject => (StatusCode::BAD_REQUEST, "The body is not a JSON object"),
            Self::QueryUnreadable => (StatusCode::BAD_REQUEST, "The query cannot be read"),
            Self::WrongCredentials => (StatusCode::UNAUTHORIZED, "E-mail or password is wrong"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "Not signed in"),
            Self::EdgeUnknown => (StatusCode::FORBIDDEN, "Not allowed"),
            Self::Disabled => (StatusCode::FORBIDDEN, "This account is disabled"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::EmailTaken => (StatusCode::CONFLICT, "This e-mail is already registered"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 64 KiB"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be application/json"),
            // The client is not told which of the two it was.
            Self::Busy | Self::PasswordChanged => {
                (StatusCode::SERVICE_UNAVAILABLE, "Too busy, please try again")
            }
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "It took too long, please try again"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "Not ready"),
            Self::DatabaseAway(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The database is not available, please try again")
            }
            Self::Database(_)
            | Self::Signing(_)
            | Self::SessionInDoubt
            | Self::Hashing
            | Self::Rendering(_)
            | Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
        }
    }

    fn entries(&self, message: &'static str) -> Vec<Entry> {
        match self {
            Self::Fields(mistakes) => mistakes
                .iter()
                .map(|mistake| Entry {
                    r#type: "field",
                    msg: mistake.message.clone(),
                    path: mistake.field,
                    location: "body",
                })
                .collect(),
            // Front ends show `errors[0].msg`, so there is always one.
            _ => vec![Entry { r#type: "request", msg: message.to_owned(), path: "", location: "" }],
        }
    }
}

/// For the log. Of a database error only the message is told: its detail can hold the row (a hash, an e-mail).
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) | Self::DatabaseAway(error) => error.fmt(f),
            Self::Signing(failed) => failed.fmt(f),
            Self::Rendering(error) => error.fmt(f),
            Self::Busy => f.write_str("too many passwords are being hashed"),
            Self::PasswordChanged => f.write_str("the password was changed during the login"),
            Self::TimedOut => f.write_str("the time was up"),
            Self::SessionInDoubt => f.write_str("the database and the service decide a refresh differently"),
            Self::Hashing => f.write_str("a password could not be hashed"),
            Self::Panicked => f.write_str("a handler panicked"),
            told => f.write_str(told.answer().1),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = self.answer();
        // Here a failure is handled, so here it is logged, once.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(cause = %self, "request failed");
        } else if status.is_server_error() {
            tracing::warn!(cause = %self, "request turned away");
        }
        let body = Body { message, errors: self.entries(message) };
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

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        /// Connection lost, rolled back for another's sake, insufficient resources, a lock not had in time, operator
        /// intervention and timeouts; and what only a standby answers, to whoever writes or reads unlogged tables
        /// (Postgres, appendix A).
        const AWAY: [&str; 7] = ["08", "40", "53", "55P03", "57", "25006", "0A000"];
        let away = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| AWAY.iter().any(|away| code.starts_with(away)))
            }
            _ => false,
        };
        if away { Self::DatabaseAway(error) } else { Self::Database(error) }
    }
}

impl From<InsertRefused> for Refusal {
    fn from(refused: InsertRefused) -> Self {
        match refused {
            InsertRefused::EmailTaken => Self::EmailTaken,
            InsertRefused::Database(error) => error.into(),
        }
    }
}

impl From<HashingRefused> for Refusal {
    fn from(refused: HashingRefused) -> Self {
        match refused {
            HashingRefused::Busy => Self::Busy,
            HashingRefused::Failed => Self::Hashing,
        }
    }
}

/// A task of a handler's ends early by a panic alone.
impl From<JoinError> for Refusal {
    fn from(_: JoinError) -> Self {
        Self::Panicked
    }
}

impl From<SigningFailed> for Refusal {
    fn from(failed: SigningFailed) -> Self {
        Self::Signing(failed)
    }
}

pub(super) async fn not_found() -> Refusal {
    Refusal::NotFound
}

/// axum adds the `Allow` header.
pub(super) async fn method_not_allowed() -> Refusal {
    Refusal::MethodNotAllowed
}

pub(super) fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    Refusal::Panicked.into_response()
}
