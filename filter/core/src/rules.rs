//! Who may go where: path and method to access. The first rule that matches wins, and where none does
//! the user must be signed in (invariant 4).

use crate::fold;
use crate::path::{Ambiguity, CanonicalPath};

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
pub struct Rules {
    rules: Index,
    /// The same with their paths folded, where that makes a difference.
    folded: Option<Index>,
}

/// Rules found by their paths, segment by segment, so that the number of rules does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Index {
    rules: Vec<Rule>,
    /// The root, and then whatever lies below it.
    nodes: Vec<Node>,
}

/// A path that rules are for, or a beginning of one. Rules are in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// The rules for this path alone.
    exact: Vec<usize>,
    /// The rules for this path and whatever lies below it.
    prefix: Vec<usize>,
    /// The nodes that one segment more leads to, in the order of these segments.
    below: Vec<(Vec<u8>, usize)>,
}

impl Rules {
    /// Takes the rules in order.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let folded: Vec<Rule> =
            rules.iter().map(|rule| Rule { pattern: rule.pattern.folded(), ..rule.clone() }).collect();
        let folded = (folded != rules).then(|| Index::new(folded));
        Self { rules: Index::new(rules), folded }
    }

    /// The first rule for this path and method.
    ///
    /// # Errors
    /// [`Ambiguity::LetterCase`] or [`Ambiguity::Delimiter`], where servers that fold and trim the path, or decode it
    /// before they look for its end, would serve what another rule asks something else for.
    #[inline(never)]
    pub fn find(&self, path: &CanonicalPath<'_>, method: &[u8]) -> Result<&Rule, Ambiguity> {
        let rule = self.rules.first(path.as_bytes(), method);
        if self.folded.is_some() || fold::changes(path.as_bytes()) {
            self.check_readings(rule, path, method)?;
        }
        Ok(rule)
    }

    /// Index of a rule that [`find`](Self::find) returned; `None` for the one that stands for no match.
    #[must_use]
    pub fn position(&self, rule: &Rule) -> Option<usize> {
        self.rules.rules.iter().position(|this| std::ptr::eq(this, rule))
    }

    #[inline(never)]
    fn check_readings(&self, rule: &Rule, path: &CanonicalPath<'_>, method: &[u8]) -> Result<(), Ambiguity> {
        let rules = self.folded.as_ref().unwrap_or(&self.rules);
        let agrees = |path: &str| rules.first(path.as_bytes(), method).access == rule.access;
        let folded = fold::path(path.as_str());
        if !agrees(&folded) {
            return Err(Ambiguity::LetterCase);
        }
        match folded.split_once(['?', '#']) {
            Some((cut, _)) if !agrees(&fold::trim_segments(cut)) => Err(Ambiguity::Delimiter),
            _ => Ok(()),
        }
    }

    /// The index of each rule that can never match, with the index of an earlier rule that is in its way.
    pub fn unreachable(&self) -> impl Iterator<Item = (usize, usize)> {
        let rules = &self.rules.rules;
        rules.iter().enumerate().filter_map(|(at, rule)| {
            let earlier =
                || rules.iter().take(at).enumerate().filter(|(_, other)| other.pattern.covers(&rule.pattern));
            let taken = |method: &str| earlier().any(|(_, other)| other.takes(method.as_bytes()));
            let blocker = match &rule.methods {
                Some(methods) if methods.iter().all(|method| taken(method)) => earlier().next(),
                Some(_) => None,
                None => earlier().find(|(_, other)| other.methods.is_none()),
            };
            blocker.map(|(other, _)| (at, other))
        })
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Index {
    fn new(rules: Vec<Rule>) -> Self {
        let mut nodes = vec![Node::default()];
        for (at, rule) in rules.iter().enumerate() {
            let (Pattern::Exact(path) | Pattern::Prefix(path)) = &rule.pattern;
            let mut end = 0;
            for segment in segments(path.as_bytes()) {
                let new = nodes.len();
                end = nodes.get_mut(end).map_or(new, |node| node.put(segment, new));
                if end == new {
                    nodes.push(Node::default());
                }
            }
            match (&rule.pattern, nodes.get_mut(end)) {
                (Pattern::Exact(_), Some(node)) => node.exact.push(at),
                (Pattern::Prefix(_), Some(node)) => node.prefix.push(at),
                (_, None) => {}
            }
        }
        Self { rules, nodes }
    }

    fn first(&self, path: &[u8], method: &[u8]) -> &Rule {
        const NOTHING_MATCHED: &Rule = &Rule {
            pattern: Pattern::Prefix(String::new()),
            methods: None,
            access: Access::SignedIn,
            forward_cookies: false,
        };
        let (mut node, mut found) = (self.nodes.first(), usize::MAX);
        let mut segments = segments(path);
        while let Some(here) = node {
            found = self.sooner(found, &here.prefix, method);
            let Some(segment) = segments.next() else {
                found = self.sooner(found, &here.exact, method);
                break;
            };
            node = here.find(segment).ok().and_then(|node| self.nodes.get(node));
        }
        self.rules.get(found).unwrap_or(NOTHING_MATCHED)
    }

    /// The first of these rules that takes the method, if it stands before the one that was found.
    #[inline(never)]
    fn sooner(&self, found: usize, rules: &[usize], method: &[u8]) -> usize {
        let takes = |at: &usize| self.rules.get(*at).is_some_and(|rule| rule.takes(method));
        rules.iter().copied().take_while(|at| *at < found).find(takes).unwrap_or(found)
    }
}

impl Node {
    /// The node that this segment leads to, or the place where it would stand.
    fn find(&self, segment: &[u8]) -> Result<usize, usize> {
        let at = self.below.binary_search_by(|(this, _)| this.as_slice().cmp(segment))?;
        self.below.get(at).map(|(_, node)| *node).ok_or(at)
    }

    /// The node that this segment leads to, which is to be this one where it has led nowhere.
    fn put(&mut self, segment: &[u8], node: usize) -> usize {
        self.find(segment).unwrap_or_else(|at| {
            self.below.insert(at, (segment.to_owned(), node));
            node
        })
    }
}

/// The segments of a path that starts with a slash, or is empty and has none.
fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').skip(1)
}

impl Rule {
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

    fn folded(&self) -> Self {
        match self {
            Self::Exact(path) => Self::Exact(fold::path(path)),
            Self::Prefix(path) => Self::Prefix(fold::path(path)),
        }
    }

    fn holds(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == path,
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|below| below.is_empty() || below.starts_with('/')),
        }
    }

    /// Whether it holds every path that the other holds.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(_), Self::Prefix(_)) => false,
            (_, Self::Exact(path) | Self::Prefix(path)) => self.holds(path),
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
        let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), method.as_bytes()).unwrap();
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
    fn the_index_finds_what_a_walk_through_the_rules_would() {
        let paths = ["", "/a", "/a/b", "/a/b/c", "/ab", "/a/", "/a/b/", "/b", "/b/a/c/d", "/"];
        let patterns = paths.iter().flat_map(|&path| {
            let whole = if path.is_empty() { exact("/a/b/c/d") } else { exact(path) };
            [Pattern::prefix(path), whole]
        });
        let rules: Vec<Rule> = patterns
            .enumerate()
            .map(|(at, pattern)| {
                let methods: &[&str] = match at % 3 {
                    0 => &["GET"],
                    1 => &["POST", "PUT"],
                    _ => &[],
                };
                rule(pattern, methods, &at.to_string())
            })
            .collect();
        // Every turn of the list, so that each rule is the first once.
        for turn in 0..rules.len() {
            let mut rules = rules.clone();
            rules.rotate_left(turn);
            let index = Rules::new(rules.clone());
            for path in paths.iter().filter(|path| path.starts_with('/')) {
                for method in ["GET", "HEAD", "POST", "DELETE"] {
                    let walk =
                        rules.iter().find(|rule| rule.pattern.holds(path) && rule.takes(method.as_bytes()));
                    let expected = walk.map_or(Access::SignedIn, |rule| rule.access.clone());
                    let path = CanonicalPath::read(path.as_bytes()).unwrap();
                    assert_eq!(
                        index.find(&path, method.as_bytes()).unwrap().access,
                        expected,
                        "{method} {path:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_path_that_another_rule_would_be_for_in_other_letters_is_ambiguous() {
        fn check(rules: &[Rule], path: &str, expected: Result<&str, Ambiguity>) {
            let rules = Rules::new(rules.to_vec());
            let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), b"GET");
            let expected = expected.map(|role| match role {
                "" => Access::SignedIn,
                role => Access::Roles(vec![role.to_owned()]),
            });
            assert_eq!(found.map(|rule| rule.access.clone()), expected, "{path}");
        }
        let small = [rule(Pattern::prefix("/admin/"), &[], "admin")];
        check(&small, "/admin/X", Ok("admin"));
        check(&small, "/ADMIN/x", Err(Ambiguity::LetterCase));
        check(&small, "/%41dmin", Err(Ambiguity::LetterCase));
        check(&small, "/Orders", Ok(""));
        let large = [rule(Pattern::prefix("/API/"), &[], "api")];
        check(&large, "/API/x", Ok("api"));
        check(&large, "/api/x", Err(Ambiguity::LetterCase));
        let escaped = [rule(exact("/caf%C3%A9"), &[], "cafe")];
        check(&escaped, "/caf%c3%a9", Ok("cafe"));
        check(&escaped, "/caf%C3%89", Err(Ambiguity::LetterCase));
        check(&small, "/admin%C4%B1", Ok(""));
        let secret = [rule(Pattern::prefix("/secret/"), &[], "admin")];
        check(&secret, "/%C5%BFecret/x", Err(Ambiguity::LetterCase));
        check(&secret, "/secret/%20x", Ok("admin"));
        // Other widths, blanks at the end, characters that are not shown.
        check(&secret, "/%EF%BD%93ecret/x", Err(Ambiguity::LetterCase));
        check(&secret, "/secret%20/x", Err(Ambiguity::LetterCase));
        check(&secret, "/sec%C2%ADret/x", Err(Ambiguity::LetterCase));
        check(&secret, "/secret./x", Err(Ambiguity::LetterCase));
        check(&secret, "/secret.%20/x", Err(Ambiguity::LetterCase));
        check(&secret, "/secret.", Err(Ambiguity::LetterCase));
        check(&secret, "/secret/x.", Ok("admin"));
        check(&secret, "/.secret/x", Ok(""));
        check(&secret, "/se%20cret/x", Ok(""));
    }

    #[test]
    fn a_path_that_another_rule_would_be_for_if_it_ended_earlier_is_ambiguous() {
        let rules = [rule(exact("/admin.php"), &[], "admin"), rule(Pattern::prefix("/files/"), &[], "files")];
        let rules = Rules::new(rules.to_vec());
        let check = |path: &str, expected: Result<(), Ambiguity>| {
            let found = rules.find(&CanonicalPath::read(path.as_bytes()).unwrap(), b"GET");
            assert_eq!(found.map(|_| ()), expected, "{path}");
        };
        for path in
            ["/admin.php%3fx", "/admin.php%23x", "/admin.php%3F", "/admin.php%20%3fx", "/admin.php%EF%BC%9Fx"]
        {
            check(path, Err(Ambiguity::Delimiter));
        }
        check("/admin.php.%3Fx", Err(Ambiguity::Delimiter));
        check("/files%3F/x", Err(Ambiguity::Delimiter));
        check("/files/why%3F.txt", Ok(()));
        check("/other%3Fx", Ok(()));
        check("/admin.php?x", Ok(()));
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
        check(vec![rule(exact("/a"), &["GET"], "x"), rule(exact("/a"), &["GET", "POST"], "x")], &[]);
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
