//! Mistakes in settings. A value never lives here: it may be a secret.

use std::fmt;
use std::path::PathBuf;

use super::{InvalidConnectionString, InvalidLine, TextFileError};

use edgeward_wire::InvalidOrigin;

/// One thing wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The setting's name.
    pub name: String,
    /// Its fault.
    pub problem: Problem,
}

/// Fault of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is required.
    Missing,
    /// It is none of these words.
    NotOneOf(&'static [&'static str]),
    /// It is not a whole number in this range.
    NotANumber {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// It does not have this form.
    NotOfTheForm(&'static str),
    /// One of its origins is none.
    NotAnOrigin {
        /// Its place in the list, from 1.
        number: usize,
        /// Its fault.
        invalid: InvalidOrigin,
    },
    /// One of its secrets is shorter than this, in characters.
    SecretTooShort {
        /// The least.
        min: usize,
    },
    /// It is given itself and as a file.
    ValueAndFile,
    /// Its file cannot be read.
    FileUnreadable(PathBuf, TextFileError),
    /// It is a settings file that cannot be read.
    Unreadable(TextFileError),
    /// A line of a settings file, by its number, is refused.
    Line(usize, InvalidLine),
    /// A line of a settings file, by its number, sets a name that is none of ours but close to one.
    UnknownInLine {
        /// Number of the line.
        number: usize,
        /// The name that it sets.
        name: String,
        /// The setting that it may be meant to be.
        meant: &'static str,
    },
    /// It is not a connection string.
    ConnectionString(InvalidConnectionString),
    /// It is a settings file for one `APP_ENV`, and sets another.
    OtherAppEnv,
    /// It says something else than this other setting.
    Contradicts(&'static str),
    /// It cannot be had together with this.
    NotTogetherWith(&'static str),
    /// It is not UTF-8.
    NotText,
    /// There is no such setting.
    Unknown {
        /// The setting that it may be meant to be.
        meant: &'static str,
    },
}

/// All that is wrong, in the order it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.problem {
            Problem::Missing => write!(f, "{name} is not set"),
            Problem::NotOneOf(words) => write!(f, "{name} is not one of: {}", words.join(", ")),
            Problem::NotANumber { min, max } => write!(f, "{name} is not a whole number from {min} to {max}"),
            Problem::NotOfTheForm(form) => write!(f, "{name} is not {form}"),
            Problem::NotAnOrigin { number, invalid } => {
                write!(
                    f,
                    "{name}: number {number} is not an origin such as https://app.example.com: {invalid}"
                )
            }
            Problem::SecretTooShort { min } => {
                write!(
                    f,
                    "{name} has a secret of fewer than {min} characters; make one with: openssl rand -hex 32"
                )
            }
            Problem::ValueAndFile => write!(f, "{name} and {name}_FILE are both set"),
            Problem::FileUnreadable(path, error) => {
                write!(f, "{name}_FILE names {}, which cannot be read: {error}", path.display())
            }
            Problem::Unreadable(error) => write!(f, "{name} cannot be read: {error}"),
            Problem::Line(number, rejection) => write!(f, "{name} line {number} {rejection}"),
            Problem::UnknownInLine { number, name: unknown, meant } => {
                write!(f, "{name} line {number}: {unknown} is not a setting; did you mean {meant}?")
            }
            Problem::ConnectionString(invalid) => write!(f, "{name} is not {invalid}"),
            Problem::OtherAppEnv => {
                write!(f, "{name} sets another APP_ENV than the one it is for; set that in the environment")
            }
            Problem::Contradicts(other) => write!(f, "{name} contradicts {other}; set one of them"),
            Problem::NotTogetherWith(other) => write!(f, "{name} cannot be had together with {other}"),
            Problem::NotText => write!(f, "{name} is not UTF-8"),
            Problem::Unknown { meant } => write!(f, "{name} is not a setting; did you mean {meant}?"),
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings have mistakes:")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for Mistakes {}
