//! Mistakes in settings. They never hold a value, which may be a secret.

use std::path::PathBuf;

use edgeward_wire::InvalidOrigin;
use thiserror::Error;

use super::{Form, InvalidConnectionString, InvalidLine, TextFileError};

/// One mistake in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{subject} {problem}")]
pub struct Mistake {
    /// The setting, or the line of a settings file.
    pub subject: String,
    /// Its fault.
    pub problem: Problem,
}

/// Fault of a setting, in words that follow its name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// It is required.
    #[error("is not set")]
    Missing,
    /// It does not have this form.
    #[error("is not {0}")]
    NotOfTheForm(Form),
    /// One of its secrets cannot travel in a header field (RFC 9110 §5.5).
    #[error("has a secret with characters other than visible ASCII, which no header field can carry")]
    SecretNotVisible,
    /// It is not an origin.
    #[error("is not an origin such as https://app.example.com: {0}")]
    NotAnOrigin(InvalidOrigin),
    /// One of its secrets is too short.
    #[error("has a secret of fewer than {min} characters; make one with: openssl rand -hex 32")]
    SecretTooShort {
        /// Minimum length, in characters.
        min: usize,
    },
    /// It is not a key-encryption key, or one that cannot be random.
    #[error(
        "is not 64 random hexadecimal digits, or two of these, comma-separated; make one with: openssl rand -hex 32"
    )]
    NotEncryptionKey,
    /// It is given itself and as a file.
    #[error("are both set")]
    ValueAndFile,
    /// It names a file that cannot be read.
    #[error("names {}, which cannot be read: {}", .0.display(), .1)]
    FileUnreadable(PathBuf, TextFileError),
    /// It is a settings file that cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(TextFileError),
    /// It is a line of a settings file that does not parse.
    #[error("{0}")]
    Line(InvalidLine),
    /// It is not a connection string.
    #[error("is not {0}")]
    ConnectionString(InvalidConnectionString),
    /// It is a settings file for one `APP_ENV`, and sets another.
    #[error("sets another APP_ENV than the one it is for; set that in the environment")]
    OtherAppEnv,
    /// It differs from what this other setting says.
    #[error("contradicts {0}; set one of them")]
    Contradicts(&'static str),
    /// It cannot be combined with this.
    #[error("cannot be had together with {0}")]
    NotTogetherWith(&'static str),
    /// Pages there would have paths of the API.
    #[error("has paths of the API, /login or /.well-known; choose one of its own, such as /pages")]
    PathTaken,
    /// It is not UTF-8.
    #[error("is not UTF-8")]
    NotText,
    /// There is no such setting.
    #[error("is not a setting; did you mean {meant}?")]
    Unknown {
        /// The setting with the closest name.
        meant: &'static str,
    },
}

/// All mistakes, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("the settings have mistakes:{}", list(.0))]
pub struct Mistakes(pub Vec<Mistake>);

fn list(mistakes: &[Mistake]) -> String {
    mistakes.iter().flat_map(|mistake| ["\n  ".to_owned(), mistake.to_string()]).collect()
}
