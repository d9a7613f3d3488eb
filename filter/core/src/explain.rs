//! Explanation of a decision: the steps that [`Gate::decide`] takes on one request, each as a value to print. It calls
//! the functions that the gate calls, and takes the verdict from the gate itself.

mod token;

use crate::cookie;
use crate::edge_state::EdgeState;
use crate::gate::Gate;
use crate::path::{Ambiguity, CanonicalPath};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::{Name, Request};
use crate::rules::{Access, Rule};
use crate::token_cache::TokenCache;
use crate::verdict::Verdict;

pub use token::{Member, TokenDetails, TokenReport, unverified_kid};

/// Steps of a decision on one request, and its verdict.
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
    pub verdict: Verdict,
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

/// Explains the decision on a request at `now`, in seconds since 1970.
#[must_use]
pub fn explain<'p>(
    policy: &'p Policy,
    state: &EdgeState,
    request: &Request<'_>,
    now: u64,
) -> Explanation<'p> {
    let cache = TokenCache::new(1, 1, [0; 16]);
    let gate = Gate { policy, state, cache: &cache, now };
    let path = CanonicalPath::read(request.target());
    let refresh_token = cookie::find(request.all(Name::Cookie), &policy.cookies.refresh);
    let verdict = gate.decide(request);
    Explanation {
        rule: find_rule(policy, request, path.as_ref().ok(), &verdict),
        path: path.map(|path| path.as_str().to_owned()),
        client: Client {
            is_navigation: request.is_navigation(),
            is_cross_site: policy.is_cross_site(request),
            is_preflight: request.is_preflight(),
        },
        token: TokenReport::read(&gate, request),
        has_refresh_token: matches!(refresh_token, Ok(Some(token)) if !token.is_empty()),
        verdict,
    }
}

fn find_rule<'p>(
    policy: &'p Policy,
    request: &Request<'_>,
    path: Option<&CanonicalPath<'_>>,
    verdict: &Verdict,
) -> RuleMatch<'p> {
    let is_rejected_before = matches!(
        verdict.rejection(),
        Some(Rejection::MethodMalformed | Rejection::TraceUnexpected | Rejection::UpgradeUnexpected)
    );
    let Some(path) = path.filter(|_| !is_rejected_before) else { return RuleMatch::NotReached };
    if policy.ready_path.as_ref().is_some_and(|ready| ready.as_bytes() == path.as_bytes()) {
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

impl RuleMatch<'_> {
    /// Returns the access that the rule requires; `None` where no rule was looked for.
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
