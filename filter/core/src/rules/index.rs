//! Index of rules by the segments of their paths, so that the time of a search does not depend on the number of rules.

use super::{Access, Pattern, Rule, StepUp, Streams};

/// Rules in their order, and a tree of their paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    rules: Vec<Rule>,
    /// Nodes of the tree, the root first.
    nodes: Vec<Node>,
}

/// Path of a rule, or a beginning of one. Lists of rules are in the order of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Rules for this path alone, by their indices.
    exact: Vec<usize>,
    /// Rules for this path and all paths below it, by their indices.
    prefix: Vec<usize>,
    /// Nodes one segment below, by their indices, sorted by the segment.
    below: Vec<(Vec<u8>, usize)>,
}

impl Default for Index {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Index {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let mut nodes = vec![Node::default()];
        for (at, rule) in rules.iter().enumerate() {
            let (Pattern::Exact(path) | Pattern::Prefix(path)) = &rule.pattern;
            let mut end = 0;
            for segment in segments(path.as_bytes()) {
                let new = nodes.len();
                end = nodes.get_mut(end).map_or(new, |node| node.find_or_insert(segment, new));
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

    /// Returns the rules in their order.
    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the first rule for a path and a method, or the implicit one (invariant 4).
    pub(super) fn first(&self, path: &[u8], method: &[u8]) -> &Rule {
        const IMPLICIT: &Rule = &Rule {
            pattern: Pattern::Prefix(String::new()),
            methods: None,
            access: Access::SignedIn,
            step_up: StepUp::NONE,
            forward_cookies: false,
            streams: Streams::EndWithSession,
        };
        let (mut node, mut found) = (self.nodes.first(), usize::MAX);
        let mut segments = segments(path);
        while let Some(here) = node {
            found = self.earlier(found, &here.prefix, method);
            let Some(segment) = segments.next() else {
                found = self.earlier(found, &here.exact, method);
                break;
            };
            node = here.find(segment).ok().and_then(|node| self.nodes.get(node));
        }
        self.rules.get(found).unwrap_or(IMPLICIT)
    }

    /// Returns the first of these rules that is for the method, if it stands before `found`, and else `found`.
    #[inline(never)]
    fn earlier(&self, found: usize, rules: &[usize], method: &[u8]) -> usize {
        let matches = |at: &usize| self.rules.get(*at).is_some_and(|rule| rule.has_method(method));
        rules.iter().copied().take_while(|at| *at < found).find(matches).unwrap_or(found)
    }
}

impl Node {
    /// Returns the node below this one by a segment, or the place to insert it.
    fn find(&self, segment: &[u8]) -> Result<usize, usize> {
        let at = self.below.binary_search_by(|(this, _)| this.as_slice().cmp(segment))?;
        self.below.get(at).map(|(_, node)| *node).ok_or(at)
    }

    /// Returns the node below this one by a segment. Inserts `new` if there is none.
    fn find_or_insert(&mut self, segment: &[u8], new: usize) -> usize {
        self.find(segment).unwrap_or_else(|at| {
            self.below.insert(at, (segment.to_owned(), new));
            new
        })
    }
}

/// Returns the segments of a path, which starts with a slash or is empty.
fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').skip(1)
}
