//! Expected verdicts, in the words that also say which verdict came.

use std::fmt::{self, Display};
use std::str::FromStr;

use edgeward_filter::explain::{Outcome, sentence};
use edgeward_filter::rejection::Rejection;
use thiserror::Error;

use crate::domain::account::role::{InvalidRole, Role};

/// Expected verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::filter) enum Expectation {
    /// `pass`; with `as ROLE` or `as nobody` also the identity that the upstream learns.
    Pass(Option<Who>),
    /// `redirect`, to the login page.
    Redirect(Option<String>),
    /// `held`, while the companion is asked for a new access token.
    Held(Option<String>),
    /// A status, such as `403`.
    Status(u16, Option<String>),
    /// `ready`, the reply of the `ready_path`.
    Ready,
}

/// Identity that the upstream learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::filter) enum Who {
    Nobody,
    Role(String),
}

/// Text that is not an expectation, or one that no verdict meets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::cli::filter) enum InvalidExpectation {
    /// The words are not those of an expectation.
    #[error(
        "must be pass, pass as ROLE, pass as nobody, redirect, held, ready, or a status such as 403; all but pass and ready may name the label too, such as 403 role_insufficient"
    )]
    Unknown,
    /// The role is not one.
    #[error("names a role that is none: {0}")]
    Role(#[from] InvalidRole),
    /// The filter never replies with this status.
    #[error("must be a status that the filter replies with: 400, 401, 403 or 503")]
    Status,
    /// No rejection has this label.
    #[error("names a label that does not exist: {0}")]
    Label(String),
}

impl FromStr for Expectation {
    type Err = InvalidExpectation;

    fn from_str(text: &str) -> Result<Self, InvalidExpectation> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["pass"] => Ok(Self::Pass(None)),
            ["pass", "as", "nobody"] => Ok(Self::Pass(Some(Who::Nobody))),
            ["pass", "as", role] => Ok(Self::Pass(Some(Who::Role(Role::parse(role)?.as_str().to_owned())))),
            ["ready"] => Ok(Self::Ready),
            ["redirect", rest @ ..] => label(rest).map(Self::Redirect),
            ["held", rest @ ..] => label(rest).map(Self::Held),
            [status, rest @ ..] => match status.parse() {
                Ok(status @ (400 | 401 | 403 | 503)) => Ok(Self::Status(status, label(rest)?)),
                Ok(_) => Err(InvalidExpectation::Status),
                Err(_) => Err(InvalidExpectation::Unknown),
            },
            [] => Err(InvalidExpectation::Unknown),
        }
    }
}

fn label(words: &[&str]) -> Result<Option<String>, InvalidExpectation> {
    match words {
        [] => Ok(None),
        [label] if sentence(label).is_some() => Ok(Some((*label).to_owned())),
        [label] => Err(InvalidExpectation::Label((*label).to_owned())),
        _ => Err(InvalidExpectation::Unknown),
    }
}

impl Expectation {
    /// `true` if the verdict is the expected one.
    pub(in crate::cli::filter) fn is_met_by(&self, outcome: &Outcome) -> bool {
        let names = |label: &Option<String>, rejection: &Rejection| {
            label.as_ref().is_none_or(|label| label == rejection.label())
        };
        match (self, outcome) {
            (Self::Pass(None), Outcome::Pass { .. })
            | (Self::Pass(Some(Who::Nobody)), Outcome::Pass { identity: None, .. })
            | (Self::Ready, Outcome::Readiness(Ok(()))) => true,
            (Self::Pass(Some(Who::Role(role))), Outcome::Pass { identity: Some(identity), .. }) => {
                role == identity.role()
            }
            (Self::Redirect(label), Outcome::Redirect { rejection, .. })
            | (Self::Held(label), Outcome::Hold { rejection }) => names(label, rejection),
            (
                Self::Status(status, label),
                Outcome::Reject { rejection, .. } | Outcome::Readiness(Err(rejection)),
            ) => *status == rejection.status() && names(label, rejection),
            _ => false,
        }
    }
}

/// Describes a verdict in the words of expectations.
pub(in crate::cli::filter) fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Pass { identity: Some(identity), .. } => format!("pass as {}", identity.role()),
        Outcome::Pass { identity: None, .. } => "pass as nobody".to_owned(),
        Outcome::Redirect { rejection, .. } => format!("redirect {}", rejection.label()),
        Outcome::Hold { rejection } => format!("held {}", rejection.label()),
        Outcome::Readiness(Ok(())) => "ready".to_owned(),
        Outcome::Readiness(Err(rejection)) | Outcome::Reject { rejection, .. } => {
            format!("{} {}", rejection.status(), rejection.label())
        }
    }
}

impl Display for Expectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, label) = match self {
            Self::Pass(None) => return formatter.write_str("pass"),
            Self::Pass(Some(Who::Nobody)) => return formatter.write_str("pass as nobody"),
            Self::Pass(Some(Who::Role(role))) => return write!(formatter, "pass as {role}"),
            Self::Ready => return formatter.write_str("ready"),
            Self::Redirect(label) => ("redirect".to_owned(), label),
            Self::Held(label) => ("held".to_owned(), label),
            Self::Status(status, label) => (status.to_string(), label),
        };
        match label {
            Some(label) => write!(formatter, "{verdict} {label}"),
            None => formatter.write_str(&verdict),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_is_read_as_it_is_written() {
        for text in [
            "pass",
            "pass as admin",
            "pass as nobody",
            "redirect",
            "redirect cookie_missing",
            "held exp_passed",
            "ready",
            "401",
            "403 role_insufficient",
            "400 path_parameter",
        ] {
            assert_eq!(text.parse::<Expectation>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_expectation_that_no_verdict_can_meet_is_a_mistake() {
        for (text, expected) in [
            ("", "must be pass"),
            ("passes", "must be pass"),
            ("pass as", "must be pass"),
            ("pass as Admin", "names a role that is none"),
            ("200", "must be a status that the filter replies with"),
            ("403 role_wrong", "names a label that does not exist: role_wrong"),
            ("403 role_insufficient x", "must be pass"),
        ] {
            let message = text.parse::<Expectation>().unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }
}
