//! Who may go where: path and method to access. The first rule that matches wins, and where none does
//! the user must be signed in (invariant 4).

use crate::path::CanonicalPath;

/// What a rule asks of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing; an identity is still told to the upstream where there is one.
    Public,
    /// A valid access token.
    SignedIn,
    /// A valid access token whose role is one of these.
    Roles(Vec<String>),
}

impl Access {
    /// Whether it is for a user of this role.
    #[must_use]
    pub fn admits(&self, role: &str) -> bool {
        match self {
            Self::Public | Self::SignedIn => true,
            Self::Roles(roles) => roles.iter().any(|listed| listed == role),
        }
    }
}

/// Which paths a rule is for, in canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This path.
    Exact(String),
    /// This path and whatever lies below it, by whole segments. Held without a slash at its end.
    Prefix(String),
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The paths it is for.
    pub pattern: Pattern,
    /// The methods it is for, all of them when absent. `GET` includes `HEAD`, which RFC 9110 §9.3.2
    /// makes the same request without the body of its answer.
    pub methods: Option<Vec<String>>,
    /// What it asks.
    pub access: Access,
    /// Whether our cookies stay in the request.
    pub forward_cookies: bool,
}

/// All the rules, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Takes the rules in order.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// The first rule for this path and method.
    #[must_use]
    pub fn find(&self, path: &CanonicalPath<'_>, method: &[u8]) -> &Rule {
        const NOTHING_MATCHED: &Rule = &Rule {
            pattern: Pattern::Prefix(String::new()),
            methods: None,
            access: Access::SignedIn,
            forward_cookies: false,
        };
        self.0.iter().find(|rule| rule.matches(path, method)).unwrap_or(NOTHING_MATCHED)
    }

    /// The index of each rule that can never match, with the index of an earlier rule that is in its way.
    pub fn unreachable(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().enumerate().filter_map(|(at, rule)| {
            let earlier = || {
                self.0.iter().take(at).enumerate().filter(|(_, other)| other.pattern.covers(&rule.pattern))
            };
            let taken = |method: &str| earlier().any(|(_, other)| other.takes(method.as_bytes()));
            let shadowed = match &rule.methods {
                Some(methods) => methods.iter().all(|method| taken(method)),
                None => earlier().any(|(_, other)| other.methods.is_none()),
            };
            let blocker = earlier().map(|(other, _)| other).next();
            blocker.filter(|_| shadowed).map(|other| (at, other))
        })
    }
}

impl Rule {
    fn matches(&self, path: &CanonicalPath<'_>, method: &[u8]) -> bool {
        self.pattern.holds(path.as_bytes()) && self.takes(method)
    }

    fn takes(&self, method: &[u8]) -> bool {
        let same = |listed: &String| listed.as_bytes() == method || (listed == "GET" && method == b"HEAD");
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(same))
    }
}

impl Pattern {
    /// The pattern of a prefix, with or without a slash at its end.
    #[must_use]
    pub fn prefix(path: &str) -> Self {
        Self::Prefix(path.strip_suffix('/').unwrap_or(path).to_owned())
    }

    fn holds(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => exact.as_bytes() == path,
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_bytes())
                .is_some_and(|below| matches!(below.first(), None | Some(b'/'))),
        }
    }

    /// Whether it holds every path that the other holds.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(_), Self::Prefix(_)) => false,
            (_, Self::Exact(path) | Self::Prefix(path)) => self.holds(path.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: Pattern, methods: &[&str], role: &str) -> Rule {
        Rule {
            pattern,
            methods: (!methods.is_empty()).then(|| methods.iter().map(|&method| method.to_owned()).collect()),
            access: Access::Roles(vec![role.to_owned()]),
            forward_cookies: false,
        }
    }

    fn exact(path: &str) -> Pattern {
        Pattern::Exact(path.to_owned())
    }

    fn check(rules: &Rules, method: &str, path: &str, expected: Option<&str>) {
        let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), method.as_bytes());
        let expected = expected.map_or(Access::SignedIn, |role| Access::Roles(vec![role.to_owned()]));
        assert_eq!(found.access, expected, "{method} {path}");
    }

    #[test]
    fn the_first_rule_that_matches_wins_and_nothing_matched_means_signed_in() {
        let rules = Rules::new(vec![
            rule(exact("/healthz"), &[], "health"),
            rule(Pattern::prefix("/admin/"), &["GET"], "reader"),
            rule(Pattern::prefix("/admin"), &[], "admin"),
            rule(exact("/caf%C3%A9/"), &[], "cafe"),
        ]);
        for (method, path, expected) in [
            ("GET", "/healthz", Some("health")),
            ("GET", "/healthz?x", Some("health")),
            ("GET", "/%68ealthz", Some("health")),
            ("GET", "/healthz/", None),
            ("GET", "/Healthz", None),
            ("GET", "/admin", Some("reader")),
            ("GET", "/admin/", Some("reader")),
            ("HEAD", "/admin/x/y", Some("reader")),
            ("POST", "/admin/x", Some("admin")),
            ("get", "/admin/x", Some("admin")),
            ("GET", "/administrator", None),
            ("GET", "/caf%c3%a9/", Some("cafe")),
            ("GET", "/", None),
        ] {
            check(&rules, method, path, expected);
        }
    }

    #[test]
    fn a_rule_behind_earlier_ones_that_take_all_it_could_match_is_unreachable() {
        fn check(rules: Vec<Rule>, expected: &[(usize, usize)]) {
            assert_eq!(Rules::new(rules).unreachable().collect::<Vec<_>>(), expected);
        }
        let all = || rule(Pattern::prefix("/"), &[], "x");
        check(vec![all(), rule(exact("/a"), &[], "x")], &[(1, 0)]);
        check(vec![rule(exact("/a"), &[], "x"), all()], &[]);
        check(vec![rule(Pattern::prefix("/a"), &[], "x"), rule(Pattern::prefix("/a/"), &[], "x")], &[(1, 0)]);
        check(vec![rule(Pattern::prefix("/a"), &[], "x"), rule(Pattern::prefix("/ab"), &[], "x")], &[]);
        check(vec![rule(exact("/a"), &[], "x"), rule(Pattern::prefix("/a"), &[], "x")], &[]);
        check(vec![rule(exact("/a"), &["GET"], "x"), rule(exact("/a"), &[], "x")], &[]);
        check(vec![rule(exact("/a"), &["GET"], "x"), rule(exact("/a"), &["HEAD"], "x")], &[(1, 0)]);
        check(
            vec![
                rule(exact("/a"), &["GET"], "x"),
                rule(Pattern::prefix("/"), &["POST"], "x"),
                rule(exact("/a"), &["GET", "POST"], "x"),
            ],
            &[(2, 0)],
        );
    }
}
