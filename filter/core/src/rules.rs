//! Access rules: path and method → access. The first rule that matches applies, and without one a request must be
//! signed in (invariant 4).

mod index;
mod pattern;
mod step_up;

use index::Index;
pub use pattern::Pattern;
pub use step_up::StepUp;

use crate::fold;
use crate::path::{Ambiguity, CanonicalPath};

/// Condition for a request to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// None. A valid access token still becomes identity headers.
    Public,
    /// A valid access token.
    SignedIn,
    /// A valid access token with one of these roles.
    Roles(Vec<String>),
}

impl Access {
    /// `true` if a user with this role may pass.
    #[must_use]
    pub fn admits(&self, role: &str) -> bool {
        match self {
            Self::Public | Self::SignedIn => true,
            Self::Roles(roles) => roles.iter().any(|listed| listed == role),
        }
    }
}

/// Treatment of open streams (`WebSocket` connections, event streams, gRPC streams, long downloads) when the session
/// ends that opened them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// They end with the session.
    EndWithSession,
    /// They continue.
    Outlive,
}

impl Streams {
    /// Returns the treatment for a rule that does not name one: a public stream is open to anybody, so it continues.
    #[must_use]
    pub const fn default_for(access: &Access) -> Self {
        match access {
            Access::Public => Self::Outlive,
            Access::SignedIn | Access::Roles(_) => Self::EndWithSession,
        }
    }
}

/// Access rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Paths of the rule.
    pub pattern: Pattern,
    /// Methods of the rule, or all of them if absent. `GET` includes `HEAD`, which is the same request without the
    /// content of its response (RFC 9110 §9.3.2).
    pub methods: Option<Vec<String>>,
    /// Condition for a request to pass.
    pub access: Access,
    /// Demand on the user's last authentication.
    pub step_up: StepUp,
    /// `true` if our cookies stay in the request.
    pub forward_cookies: bool,
    /// Treatment of open streams when their session ends.
    pub streams: Streams,
}

impl Rule {
    /// `true` if the rule is for this method.
    fn has_method(&self, method: &[u8]) -> bool {
        let same = |listed: &String| listed.as_bytes() == method || (listed == "GET" && method == b"HEAD");
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(same))
    }
}

/// Access rules in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    index: Index,
    /// The rules with folded paths; `None` if no path changes by that.
    folded: Option<Index>,
}

impl Rules {
    /// Returns the rules in this order, indexed by their paths.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let folded: Vec<Rule> =
            rules.iter().map(|rule| Rule { pattern: rule.pattern.folded(), ..rule.clone() }).collect();
        let folded = (folded != rules).then(|| Index::new(folded));
        Self { index: Index::new(rules), folded }
    }

    /// Returns the first rule for a path and a method, or the implicit one: signed in, without our cookies.
    ///
    /// # Errors
    /// [`Ambiguity::LetterCase`] if a rule with another access or another demand applies to the path of a server that folds
    /// and trims it; [`Ambiguity::Delimiter`] if one applies to the path of a server that decodes it before it searches for
    /// its end.
    #[inline(never)]
    pub fn find(&self, path: &CanonicalPath<'_>, method: &[u8]) -> Result<&Rule, Ambiguity> {
        let rule = self.index.first(path.as_bytes(), method);
        if self.folded.is_some() || fold::changes(path.as_bytes()) {
            self.check_readings(rule, path, method)?;
        }
        Ok(rule)
    }

    /// Returns the index of a rule that [`find`](Self::find) returned; `None` for the implicit one.
    #[must_use]
    pub fn position(&self, rule: &Rule) -> Option<usize> {
        self.index.rules().iter().position(|this| std::ptr::eq(this, rule))
    }

    /// Checks that every other reading of the path has the same access and the same demand as `rule`.
    #[inline(never)]
    fn check_readings(&self, rule: &Rule, path: &CanonicalPath<'_>, method: &[u8]) -> Result<(), Ambiguity> {
        let index = self.folded.as_ref().unwrap_or(&self.index);
        let agrees = |path: &str| {
            let other = index.first(path.as_bytes(), method);
            other.access == rule.access && other.step_up == rule.step_up
        };
        let folded = fold::path(path.as_str());
        if !agrees(&folded) {
            return Err(Ambiguity::LetterCase);
        }
        match folded.split_once(['?', '#']) {
            Some((cut, _)) if !agrees(&fold::trim_segments(cut)) => Err(Ambiguity::Delimiter),
            _ => Ok(()),
        }
    }

    /// Returns the index of each rule that can never match, with the index of an earlier rule that matches instead.
    pub fn unreachable(&self) -> impl Iterator<Item = (usize, usize)> {
        let rules = self.index.rules();
        rules.iter().enumerate().filter_map(move |(at, rule)| {
            let earlier =
                || rules.iter().take(at).enumerate().filter(|(_, other)| other.pattern.covers(&rule.pattern));
            let is_covered = |method: &str| earlier().any(|(_, other)| other.has_method(method.as_bytes()));
            let blocker = match &rule.methods {
                Some(methods) if methods.iter().all(|method| is_covered(method)) => earlier().next(),
                Some(_) => None,
                None => earlier().find(|(_, other)| other.methods.is_none()),
            };
            blocker.map(|(other, _)| (at, other))
        })
    }
}

#[cfg(test)]
mod tests;
