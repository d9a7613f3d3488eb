//! Expected verdicts, and the words that name a verdict in a file of cases.

use std::fmt::{self, Display};
use std::str::FromStr;

use edgeward_filter::verdict::Verdict;
use thiserror::Error;

use crate::domain::account::role::{InvalidRole, Role};

/// Status of a redirect to the login page.
const FOUND: u16 = 302;

/// Expected verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::filter) enum Expectation {
    /// `pass`; with `as ROLE` or `as nobody` also the identity that the upstream gets.
    Pass(Option<Caller>),
    /// `held`, while the companion is asked for a new access token.
    Held(Option<String>),
    /// `redirect` to the login page, or a status such as `403`.
    Status(u16, Option<String>),
    /// `ready`, the reply at the `ready_path`.
    Ready,
}

/// Identity that the upstream gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::filter) enum Caller {
    Nobody,
    Role(String),
}

/// Text that is not an expectation, or one that no verdict meets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::cli::filter) enum InvalidExpectation {
    /// The words are not those of an expectation.
    #[error(
        "must be pass, pass as ROLE, pass as nobody, redirect, held, ready, or a status such as 403; a label may follow a status, redirect and held, as in 403 role_insufficient"
    )]
    Unknown,
    /// The role has another form.
    #[error("has an invalid role: {0}")]
    Role(#[from] InvalidRole),
    /// The filter never replies with this status.
    #[error("must be a status that the filter replies with: 400, 401, 403 or 503")]
    Status,
    /// The label has another form.
    #[error("has an invalid label: labels consist of a-z, 0-9 and _")]
    Label,
}

impl FromStr for Expectation {
    type Err = InvalidExpectation;

    fn from_str(text: &str) -> Result<Self, InvalidExpectation> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["pass"] => Ok(Self::Pass(None)),
            ["pass", "as", "nobody"] => Ok(Self::Pass(Some(Caller::Nobody))),
            ["pass", "as", role] => {
                Ok(Self::Pass(Some(Caller::Role(Role::parse(role)?.as_str().to_owned()))))
            }
            ["ready"] => Ok(Self::Ready),
            ["held", rest @ ..] => label(rest).map(Self::Held),
            ["redirect", rest @ ..] => Ok(Self::Status(FOUND, label(rest)?)),
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
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match words {
        [] => Ok(None),
        [label] if label.bytes().all(is_part) => Ok(Some((*label).to_owned())),
        [_] => Err(InvalidExpectation::Label),
        _ => Err(InvalidExpectation::Unknown),
    }
}

impl Expectation {
    /// Returns the expectation that names everything about a verdict.
    pub(in crate::cli::filter) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass(pass) => Self::Pass(Some(match &pass.identity {
                Some(identity) => Caller::Role(identity.role().to_owned()),
                None => Caller::Nobody,
            })),
            Verdict::Hold(hold) => Self::Held(Some(hold.rejection.label().to_owned())),
            // The readiness of the filter is the only success that it replies itself.
            Verdict::Reply(reply) if reply.status == 200 => Self::Ready,
            Verdict::Reply(reply) => Self::Status(reply.status, Some(reply.label.to_owned())),
        }
    }

    /// `true` if the verdict is the expected one.
    pub(in crate::cli::filter) fn is_met_by(&self, verdict: &Verdict) -> bool {
        let same =
            |expected: &Option<String>, label: &Option<String>| expected.is_none() || expected == label;
        match (self, Self::of(verdict)) {
            (Self::Pass(expected), Self::Pass(caller)) => expected.is_none() || *expected == caller,
            (Self::Held(expected), Self::Held(label)) => same(expected, &label),
            (Self::Status(expected_status, expected), Self::Status(status, label)) => {
                *expected_status == status && same(expected, &label)
            }
            (Self::Ready, Self::Ready) => true,
            _ => false,
        }
    }
}

impl Display for Expectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, label) = match self {
            Self::Pass(None) => return formatter.write_str("pass"),
            Self::Pass(Some(Caller::Nobody)) => return formatter.write_str("pass as nobody"),
            Self::Pass(Some(Caller::Role(role))) => return write!(formatter, "pass as {role}"),
            Self::Ready => return formatter.write_str("ready"),
            Self::Held(label) => ("held".to_owned(), label),
            Self::Status(FOUND, label) => ("redirect".to_owned(), label),
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
    fn expectation_is_read_as_it_is_written() {
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
    fn expectation_that_no_verdict_can_meet_is_a_mistake() {
        for (text, expected) in [
            ("", "must be pass"),
            ("passes", "must be pass"),
            ("pass as", "must be pass"),
            ("pass as Admin", "has an invalid role"),
            ("200", "must be a status that the filter replies with"),
            ("403 Forbidden", "has an invalid label"),
            ("403 role_insufficient x", "must be pass"),
        ] {
            let message = text.parse::<Expectation>().unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }
}
