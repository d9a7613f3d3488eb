//! Explanation of a decision: the steps that [`gate::decide`] takes on one request, each as a value to print. It calls
//! the functions that the gate calls, and takes the verdict from the gate itself, so that the two cannot disagree.

mod sentence;
mod token;

use crate::claims::Identity;
use crate::cookie;
use crate::edge_state::EdgeState;
use crate::gate::{self, Decision};
use crate::path::{Ambiguity, CanonicalPath};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::{Name, Request};
use crate::rules::{Access, Rule};
use crate::token_cache::TokenCache;

pub use sentence::sentence;
pub use token::{Member, TokenDetails, TokenReport, unverified_kid};

/// Steps of a decision on one request, and its outcome.
#[derive(Debug)]
pub struct Explanation<'p> {
    /// Canonical path, or the reason that the path has more than one reading.
    pub path: Result<String, Ambiguity>,
    /// Rule that applies.
    pub rule: RuleMatch<'p>,
    /// Kind of the client.
    pub client: Client,
    /// Access token of the request.
    pub token: TokenReport,
    /// `true` if the request has a refresh-token cookie with a value.
    pub has_refresh_token: bool,
    /// Verdict of the gate.
    pub outcome: Outcome,
}

/// Rule that applies to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleMatch<'p> {
    /// The request is rejected before a rule is looked for.
    NotReached,
    /// The path is the `ready_path`, which no rule is for.
    ReadyPath,
    /// Another reading of the path has a rule with another access.
    Ambiguous(Ambiguity),
    /// No rule matches, so the user must be signed in.
    Unmatched,
    /// First rule that matches.
    Matched {
        /// Index in `rules`, from 0.
        index: usize,
        /// The rule itself.
        rule: &'p Rule,
    },
}

/// Kind of the client that sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// `true` if a browser navigates to a page.
    pub is_navigation: bool,
    /// `true` if another site's page may have sent a request that changes something.
    pub is_cross_site: bool,
    /// `true` if it is a CORS preflight.
    pub is_preflight: bool,
}

/// Verdict on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request goes upstream.
    Pass {
        /// User and session that the upstream learns, if any.
        identity: Option<Identity>,
        /// `true` if our cookies stay in the request.
        forward_cookies: bool,
    },
    /// The browser is redirected to the login page.
    Redirect {
        /// Value of `Location`.
        location: String,
        /// Reason.
        rejection: Rejection,
    },
    /// The request is held until the companion responds with a new access token.
    Hold {
        /// Reason.
        rejection: Rejection,
    },
    /// The filter replies that it is ready, or the reason that it is not.
    Readiness(Result<(), Rejection>),
    /// The filter replies with the status of the rejection.
    Reject {
        /// Reason.
        rejection: Rejection,
        /// User and session that were rejected, if known.
        identity: Option<Identity>,
    },
}

/// Explains the decision on a request at `now`, in seconds since 1970.
#[must_use]
pub fn explain<'p>(
    policy: &'p Policy,
    edge_state: &EdgeState,
    request: &Request<'_>,
    now: u64,
) -> Explanation<'p> {
    let decision = gate::decide(policy, edge_state, &mut TokenCache::new(1, [0; 16]), request, now);
    let outcome = outcome(decision);
    let path = CanonicalPath::read(request.target());
    Explanation {
        rule: find_rule(policy, request, path.as_ref().ok(), &outcome),
        path: path.map(|path| path.as_str().to_owned()),
        client: Client {
            is_navigation: request.is_navigation(),
            is_cross_site: policy.is_cross_site(request),
            is_preflight: request.is_preflight(),
        },
        token: TokenReport::read(policy, edge_state, request, now),
        has_refresh_token: matches!(
            cookie::find(request.all(Name::Cookie), &policy.cookies.refresh),
            Ok(Some(token)) if !token.is_empty()
        ),
        outcome,
    }
}

fn outcome(decision: Decision) -> Outcome {
    match decision {
        Decision::Pass { identity, forward_cookies } => Outcome::Pass { identity, forward_cookies },
        Decision::Redirect { location, rejection } => Outcome::Redirect { location, rejection },
        Decision::Refresh { rejection, .. } => Outcome::Hold { rejection },
        Decision::Readiness(result) => Outcome::Readiness(result),
        Decision::Refuse { rejection, identity } => Outcome::Reject { rejection, identity },
    }
}

fn find_rule<'p>(
    policy: &'p Policy,
    request: &Request<'_>,
    path: Option<&CanonicalPath<'_>>,
    outcome: &Outcome,
) -> RuleMatch<'p> {
    let is_malformed =
        matches!(outcome.rejection(), Some(Rejection::MethodMalformed | Rejection::UpgradeUnexpected));
    let Some(path) = path.filter(|_| !is_malformed) else { return RuleMatch::NotReached };
    if matches!(outcome, Outcome::Readiness(_)) {
        return RuleMatch::ReadyPath;
    }
    match policy.rules.find(path, request.method()) {
        Err(ambiguity) => RuleMatch::Ambiguous(ambiguity),
        Ok(rule) => match policy.rules.position(rule) {
            Some(index) => RuleMatch::Matched { index, rule },
            None => RuleMatch::Unmatched,
        },
    }
}

impl Outcome {
    /// Reason that the request does not pass as it is.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Pass { .. } | Self::Readiness(Ok(())) => None,
            Self::Redirect { rejection, .. }
            | Self::Hold { rejection }
            | Self::Readiness(Err(rejection))
            | Self::Reject { rejection, .. } => Some(*rejection),
        }
    }

    /// Identity headers of the upstream's request, by the names of this policy. Empty if it has none.
    #[must_use]
    pub fn identity_headers<'p>(&self, policy: &'p Policy) -> Vec<(&'p str, String)> {
        let Self::Pass { identity: Some(identity), .. } = self else { return Vec::new() };
        let names = &policy.headers;
        vec![
            (&names.user_id, identity.user_id().to_string()),
            (&names.role, identity.role().to_owned()),
            (&names.session_id, identity.session_id().to_string()),
        ]
    }
}

impl RuleMatch<'_> {
    /// Access that the rule requires; `None` where no rule was looked for.
    #[must_use]
    pub const fn access(&self) -> Option<&Access> {
        match self {
            Self::Matched { rule, .. } => Some(&rule.access),
            Self::Unmatched => Some(&Access::SignedIn),
            Self::NotReached | Self::ReadyPath | Self::Ambiguous(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
