//! Scenarios of the measurements, as data: filters, tokens, requests.

mod filter;

use edgeward_stack::shell::Shell;

use super::Effort;
pub(super) use filter::{FEW_RULES, Filter, MANY_RULES, NATIVE, WASM};

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

pub(super) const USUAL: Shape = Shape { browser: true, crowded: false };
const BARE: Shape = Shape { browser: false, crowded: false };
const CROWDED: Shape = Shape { browser: true, crowded: true };
/// Number of distinct tokens in most scenarios.
pub(super) const USUAL_TOKENS: usize = 1000;

/// Tokens of most scenarios.
pub(super) const USUAL_SEEN: Tokens = Tokens::Seen(USUAL_TOKENS);

/// Returns the scenarios for a number of workers.
pub(super) fn all(workers: u32, effort: &Effort) -> Vec<Scenario> {
    let mut list = vec![
        (Filter::None, USUAL_SEEN, USUAL),
        (Filter::Idle(Shell::Native), USUAL_SEEN, USUAL),
        (Filter::Idle(Shell::Wasm), USUAL_SEEN, USUAL),
        (Filter::Calling, USUAL_SEEN, USUAL),
        (NATIVE, USUAL_SEEN, USUAL),
        (NATIVE, Tokens::New, USUAL),
        (WASM, USUAL_SEEN, USUAL),
        (WASM, Tokens::New, USUAL),
        (Filter::JwtAuthn { cache: true }, USUAL_SEEN, USUAL),
        (Filter::JwtAuthn { cache: false }, USUAL_SEEN, USUAL),
        (Filter::Chain { cache: true }, USUAL_SEEN, USUAL),
        (Filter::Chain { cache: false }, USUAL_SEEN, USUAL),
        (Filter::EqualChain { cache: true }, USUAL_SEEN, USUAL),
        (Filter::EqualChain { cache: false }, USUAL_SEEN, USUAL),
        (Filter::ExtAuthz, USUAL_SEEN, USUAL),
    ];
    if workers == 1 {
        let cached = [
            NATIVE,
            WASM,
            Filter::JwtAuthn { cache: true },
            Filter::Chain { cache: true },
            Filter::EqualChain { cache: true },
        ];
        for tokens in [Tokens::Seen(1), Tokens::Seen(effort.tokens)] {
            list.extend(cached.map(|filter| (filter, tokens, USUAL)));
        }
        for shape in [BARE, CROWDED] {
            list.push((Filter::None, USUAL_SEEN, shape));
            list.extend(cached.map(|filter| (filter, USUAL_SEEN, shape)));
        }
        let with_many_rules = |shell| (Filter::Edgeward { shell, rules: MANY_RULES }, USUAL_SEEN, USUAL);
        list.extend([Shell::Native, Shell::Wasm].map(with_many_rules));
        list.push((Filter::EdgewardAlone, Tokens::New, USUAL));
    }
    from(list, effort)
}

/// Returns the scenarios that compare two builds of a shell, beside Envoy's own filters.
pub(super) fn two_builds(shell: Shell, effort: &Effort) -> Vec<Scenario> {
    let mut list = vec![(Filter::None, USUAL_SEEN, USUAL)];
    for (tokens, cache) in [(USUAL_SEEN, true), (Tokens::New, false)] {
        let filters = [
            Filter::edgeward(shell),
            Filter::OtherBuild(shell),
            Filter::JwtAuthn { cache },
            Filter::Chain { cache },
        ];
        list.extend(filters.map(|filter| (filter, tokens, USUAL)));
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
        let tokens = match self.tokens {
            Tokens::New => ", new tokens".to_owned(),
            Tokens::Seen(count) if self.caches_tokens() => format!(", {} seen", count_of(count, "token")),
            Tokens::Seen(_) => String::new(),
        };
        format!("{}{tokens}{}{}", self.filter.name(), self.filter.rules_name(), self.shape.name())
    }

    /// `true` if it caches tokens.
    pub(super) fn caches_tokens(&self) -> bool {
        match self.filter {
            Filter::Edgeward { .. } | Filter::Following { .. } | Filter::OtherBuild(_) => {
                self.tokens != Tokens::New
            }
            Filter::JwtAuthn { cache } | Filter::Chain { cache } | Filter::EqualChain { cache } => cache,
            Filter::None | Filter::Idle(_) | Filter::Calling | Filter::EdgewardAlone | Filter::ExtAuthz => {
                false
            }
        }
    }

    /// `true` if this one and `other` differ only in their filters. The number of tokens counts only if they are cached.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.caches_tokens() == other.caches_tokens()
            && (!self.caches_tokens() || self.tokens == other.tokens)
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
pub(super) fn count_of(count: usize, what: &str) -> String {
    let digits = count.to_string();
    let mut number = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            number.push(',');
        }
        number.push(digit);
    }
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
    fn thousands_are_separated_and_one_is_singular() {
        for (count, expected) in [
            (1, "1 token"),
            (999, "999 tokens"),
            (100_000, "100,000 tokens"),
            (1_000_000, "1,000,000 tokens"),
        ] {
            assert_eq!(count_of(count, "token"), expected);
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
