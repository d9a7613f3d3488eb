//! The description of one setting. The settings themselves are in `settings`.

use std::fmt;

use super::Problem;

/// A setting: its name, its values and its documentation.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// Values that are accepted.
    pub form: Form,
    /// Minimum of the number if `APP_ENV` is `prod`, where it differs.
    pub min_in_prod: Option<u64>,
    /// Value of a setting that is not set.
    pub default: DefaultValue,
    /// Default if `APP_ENV` is `dev`, where it differs.
    pub default_in_dev: Option<&'static str>,
    /// `true` if the value is never shown, and may be in a file that `NAME_FILE` names.
    pub is_secret: bool,
    /// One sentence, in one line.
    pub summary: &'static str,
    /// Further sentences for the reference page, in Markdown; links are relative to `docs/reference/`.
    pub notes: &'static str,
    /// Its line in `.env.example`.
    pub example: Example,
}

/// Settings of one subject.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Heading.
    pub title: &'static str,
    /// Text for all of them, in lines; may be empty.
    pub about: &'static str,
    /// The settings.
    pub settings: &'static [Setting],
}

/// Values that a setting accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A whole number.
    Number {
        /// Least number.
        min: u64,
        /// Greatest number.
        max: u64,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A text that stands in JSON as it is.
    Name {
        /// Maximum length.
        max_bytes: usize,
    },
    /// Secrets, comma-separated, newest first.
    Secrets {
        /// Minimum length of each.
        min_chars: usize,
    },
    /// A text that is of this form.
    Text(&'static str),
}

/// Value of a setting that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// This one.
    Value(&'static str),
    /// None: what the setting is for is off.
    Unset,
    /// None: the setting is required.
    Required,
    /// None: the setting is required unless these others are set.
    RequiredUnless(&'static str),
}

/// Line of a setting in `.env.example`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// An assignment of the default; a comment if there is none.
    Default,
    /// An assignment of this value.
    Value(&'static str),
    /// A comment that assigns this value.
    Comment(&'static str),
}

impl Form {
    /// Checks a text against the limits of the form. Words and other texts are left to their parsers.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Number { min, max } => text.parse().is_ok_and(|number| (min..=max).contains(&number)),
            Self::Name { max_bytes } => {
                let is_escaped = |char: char| char.is_control() || char == '"' || char == '\\';
                (1..=max_bytes).contains(&text.len()) && !text.contains(is_escaped)
            }
            Self::Secrets { min_chars } => {
                text.split(',').all(|secret| secret.trim().chars().count() >= min_chars)
            }
            Self::OneOf(_) | Self::Text(_) => true,
        }
    }

    /// Fault of a text that is not of the form.
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::Secrets { min_chars } => Problem::SecretTooShort { min: min_chars },
            form => Problem::NotOfTheForm(form),
        }
    }
}

/// As it follows "is not".
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::OneOf(words) => {
                let words = words.iter().map(|word| if word.is_empty() { "(empty)" } else { word });
                write!(f, "one of: {}", words.collect::<Vec<_>>().join(", "))
            }
            Self::Name { max_bytes } => {
                write!(f, "1 to {max_bytes} bytes without control characters, quotes and backslashes")
            }
            Self::Secrets { min_chars } => {
                write!(f, "secrets of at least {min_chars} characters, comma-separated")
            }
            Self::Text(form) => f.write_str(form),
        }
    }
}

impl DefaultValue {
    /// The value; empty if there is none.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Value(value) => value,
            Self::Unset | Self::Required | Self::RequiredUnless(_) => "",
        }
    }
}
