//! Scenarios of the measurements, as data: filters, tokens, requests.

use super::Effort;

/// HTTP filters of a listener, without the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// No filter.
    None,
    /// Wasm module that does nothing.
    Idle,
    /// Wasm module that only makes Edgeward's host calls.
    Calling,
    /// Edgeward, with this many rules.
    Edgeward { rules: usize },
    /// Another build of the plugin, with the same configuration.
    OtherBuild,
    /// Edgeward in a host that lacks `verify_signature`.
    EdgewardAlone,
    /// Envoy's `jwt_authn`.
    JwtAuthn { cache: bool },
    /// `header_mutation`, `jwt_authn` and `rbac`, which together do Edgeward's work.
    Chain { cache: bool },
    /// `ext_authz` to a server that accepts every access token.
    ExtAuthz,
}

/// Tokens of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    /// Number of distinct tokens, sent in turn, each of which was sent before.
    Seen(usize),
    /// A token for each request, never sent before.
    New,
}

/// Header fields of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// `true` for those of a browser, `false` for those of a bare client.
    pub(super) browser: bool,
    /// `true` if other cookies make the `Cookie` field 3 KiB long.
    pub(super) crowded: bool,
}

/// Filters and the requests to them: a line of the report.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) filter: Filter,
    pub(super) tokens: Tokens,
    pub(super) shape: Shape,
    /// Requests of a round.
    pub(super) requests: usize,
}

const USUAL: Shape = Shape { browser: true, crowded: false };
const BARE: Shape = Shape { browser: false, crowded: false };
const CROWDED: Shape = Shape { browser: true, crowded: true };
/// Usual number of rules. Chosen: as many as a small site has.
pub(super) const FEW_RULES: usize = 10;
pub(super) const MANY_RULES: usize = 500;
/// Number of distinct tokens in most scenarios.
pub(super) const USUAL_TOKENS: usize = 1000;

/// Returns the scenarios for a number of workers.
pub(super) fn all(workers: u32, effort: &Effort) -> Vec<Scenario> {
    let edgeward = Filter::Edgeward { rules: FEW_RULES };
    let usual = Tokens::Seen(USUAL_TOKENS);
    let mut list = vec![
        (Filter::None, usual, USUAL),
        (Filter::Idle, usual, USUAL),
        (Filter::Calling, usual, USUAL),
        (edgeward, usual, USUAL),
        (edgeward, Tokens::New, USUAL),
        (Filter::JwtAuthn { cache: true }, usual, USUAL),
        (Filter::JwtAuthn { cache: false }, usual, USUAL),
        (Filter::Chain { cache: true }, usual, USUAL),
        (Filter::Chain { cache: false }, usual, USUAL),
        (Filter::ExtAuthz, usual, USUAL),
    ];
    if workers == 1 {
        let cached = [edgeward, Filter::JwtAuthn { cache: true }, Filter::Chain { cache: true }];
        for tokens in [Tokens::Seen(1), Tokens::Seen(effort.tokens)] {
            list.extend(cached.map(|filter| (filter, tokens, USUAL)));
        }
        for shape in [BARE, CROWDED] {
            list.push((Filter::None, usual, shape));
            list.extend(cached.map(|filter| (filter, usual, shape)));
        }
        list.push((Filter::Edgeward { rules: MANY_RULES }, usual, USUAL));
        list.push((Filter::EdgewardAlone, Tokens::New, USUAL));
    }
    from(list, effort)
}

/// Returns the scenarios that compare two builds of the plugin.
pub(super) fn two_builds(effort: &Effort) -> Vec<Scenario> {
    let edgeward = Filter::Edgeward { rules: FEW_RULES };
    let mut list = vec![(Filter::None, Tokens::Seen(USUAL_TOKENS), USUAL)];
    for tokens in [Tokens::Seen(USUAL_TOKENS), Tokens::New] {
        list.extend([edgeward, Filter::OtherBuild].map(|filter| (filter, tokens, USUAL)));
    }
    from(list, effort)
}

fn from(list: Vec<(Filter, Tokens, Shape)>, effort: &Effort) -> Vec<Scenario> {
    let scenario = |(filter, tokens, shape)| {
        let requests = match (filter, tokens) {
            (Filter::EdgewardAlone, _) => effort.requests / 10,
            // Each token serves once: all rounds together must not need more than there are.
            (_, Tokens::New) => effort.requests.min(effort.tokens / (effort.rounds + 2)),
            _ => effort.requests,
        };
        Scenario { filter, tokens, shape, requests }
    };
    list.into_iter().map(scenario).collect()
}

impl Scenario {
    /// Returns the name in the report.
    pub(super) fn name(&self) -> String {
        let filter = match self.filter {
            Filter::None => "no filter",
            Filter::Idle => "a wasm filter that does nothing",
            Filter::Calling => "a wasm filter with Edgeward's host calls alone",
            Filter::Edgeward { .. } => "Edgeward",
            Filter::OtherBuild => "the other build",
            Filter::EdgewardAlone => "Edgeward without `verify_signature`",
            Filter::JwtAuthn { cache: true } => "`jwt_authn`, cache",
            Filter::JwtAuthn { cache: false } => "`jwt_authn`, no cache",
            Filter::Chain { cache: true } => "native chain, cache",
            Filter::Chain { cache: false } => "native chain, no cache",
            Filter::ExtAuthz => "`ext_authz`",
        };
        let tokens = match self.tokens {
            Tokens::New => ", new tokens".to_owned(),
            Tokens::Seen(count) if self.caches_tokens() => format!(", {} seen", count_of(count, "token")),
            Tokens::Seen(_) => String::new(),
        };
        let rules = match self.filter {
            Filter::Edgeward { rules } if rules != FEW_RULES => format!(", {rules} rules"),
            _ => String::new(),
        };
        format!("{filter}{tokens}{rules}{}", self.shape.name())
    }

    /// `true` if it caches tokens.
    pub(super) fn caches_tokens(&self) -> bool {
        match self.filter {
            Filter::Edgeward { .. } | Filter::OtherBuild => self.tokens != Tokens::New,
            Filter::JwtAuthn { cache } | Filter::Chain { cache } => cache,
            Filter::None | Filter::Idle | Filter::Calling | Filter::EdgewardAlone | Filter::ExtAuthz => false,
        }
    }

    /// `true` if this one and `other` differ only in their filters. The number of tokens counts only if they are cached.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.caches_tokens() == other.caches_tokens()
            && (!self.caches_tokens() || self.tokens == other.tokens)
    }

    /// `true` if it forwards the identity to the upstream.
    pub(super) fn authenticates(&self) -> bool {
        !matches!(self.filter, Filter::None | Filter::Idle | Filter::Calling)
    }

    /// `true` if it checks roles.
    pub(super) fn checks_roles(&self) -> bool {
        matches!(
            self.filter,
            Filter::Edgeward { .. } | Filter::OtherBuild | Filter::EdgewardAlone | Filter::Chain { .. }
        )
    }
}

impl Shape {
    fn name(self) -> &'static str {
        match (self.browser, self.crowded) {
            (true, false) => "",
            (false, false) => ", bare client",
            (true, true) => ", 3 KiB of cookies",
            (false, true) => ", bare client, 3 KiB of cookies",
        }
    }
}

/// Renders a number with its noun: `1 token`, `100,000 tokens`.
fn count_of(count: usize, what: &str) -> String {
    let number =
        if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) };
    format!("{number} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own() {
        for workers in [1, 2] {
            let mut names: Vec<String> = all(workers, &Effort::FULL).iter().map(Scenario::name).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{names:#?}");
        }
    }

    #[test]
    fn no_new_token_is_sent_twice() {
        for effort in [Effort::FULL, Effort::QUICK] {
            for scenario in all(1, &effort).iter().filter(|scenario| scenario.tokens == Tokens::New) {
                assert!(scenario.requests * (effort.rounds + 1) < effort.tokens, "{}", scenario.name());
            }
        }
    }
}
