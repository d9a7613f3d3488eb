//! Section `rules`: each rule is checked by itself and against those before it.

use edgeward_wire::role::{self, is_role};

use super::MAX_NAMES;
use super::section::{Mistakes, Section, is_http_token};
use crate::rules::{Access, Pattern, Rule, Rules, Streams};

/// Maximum number of rules. Chosen: a mistake of a generator is noticed, and the index of all takes a few MiB.
const MAX_RULES: usize = 4096;

/// Reads `rules`. There may be none, and then every request must be signed in.
pub(super) fn read(root: &mut Section<'_, '_>, mistakes: &Mistakes) -> Rules {
    let listed = root.list("rules", 0..=MAX_RULES).unwrap_or_default();
    let paths: Vec<String> = listed.iter().map(|(path, _)| path.clone()).collect();
    let rules: Option<Vec<Rule>> = listed
        .into_iter()
        .map(|(path, item)| Section::open(item, path, mistakes).and_then(read_rule))
        .collect();
    // If any rule is wrong, there are none here: the indices of the others would point to the wrong rules.
    let rules = Rules::new(rules.unwrap_or_default());
    for (at, earlier) in rules.unreachable() {
        if let (Some(rule), Some(other)) = (paths.get(at), paths.get(earlier)) {
            mistakes.add(rule, format!("can never match: {other} comes first"));
        }
    }
    rules
}

/// Reads one rule.
fn read_rule(mut section: Section<'_, '_>) -> Option<Rule> {
    let pattern = read_pattern(&mut section);
    let methods = section.texts("methods", MAX_NAMES, is_method, "a method such as \"GET\", in upper case");
    let access = read_access(&mut section);
    let forward_cookies = section.flag("forward_cookies").unwrap_or(false);
    let streams = read_streams(&mut section);
    section.reject_unknown();
    let access = access?;
    let streams = streams.unwrap_or(Streams::default_for(&access));
    Some(Rule { pattern: pattern?, methods, access, forward_cookies, streams })
}

/// `true` if the text is a method (RFC 9110 §9.1). Lower-case letters are rejected: the gate rejects such requests.
fn is_method(text: &str) -> bool {
    is_http_token(text) && !text.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Reads `path` or `prefix`.
fn read_pattern(section: &mut Section<'_, '_>) -> Option<Pattern> {
    match (section.has("path"), section.has("prefix")) {
        (true, false) => read_literal(section, "path").map(Pattern::Exact),
        (false, true) => read_literal(section, "prefix").map(|prefix| Pattern::prefix(&prefix)),
        (false, false) => section.reject("", "needs a path or a prefix"),
        (true, true) => {
            section.take("path");
            section.take("prefix");
            section.reject("", "has a path and a prefix, and may have only one of them")
        }
    }
}

/// Reads a path. One that looks like a pattern of another program is a mistake: it would leave open what it seems to protect.
fn read_literal(section: &mut Section<'_, '_>, name: &str) -> Option<String> {
    let path = section.path(name)?;
    if path.contains('*') || path.contains("/:") {
        return section
            .reject(name, "has a wildcard, and there are none: a prefix covers all paths below it");
    }
    Some(path)
}

/// Reads `access` or `roles`.
fn read_access(section: &mut Section<'_, '_>) -> Option<Access> {
    match (section.has("access"), section.has("roles")) {
        (true, false) => match section.one_of("access", &["public", "signed_in"])? {
            "public" => Some(Access::Public),
            _ => Some(Access::SignedIn),
        },
        (false, true) => {
            let shape = format!("a role: {}", role::GRAMMAR);
            section.texts("roles", MAX_NAMES, is_role, &shape).map(Access::Roles)
        }
        (false, false) => section.reject("", "needs access (\"public\" or \"signed_in\") or roles"),
        (true, true) => {
            section.take("access");
            section.take("roles");
            section.reject("", "has access and roles, and may have only one of them")
        }
    }
}

/// Reads `streams`; `None` if it is absent.
fn read_streams(section: &mut Section<'_, '_>) -> Option<Streams> {
    match section.one_of("streams", &["end_with_session", "outlive"])? {
        "outlive" => Some(Streams::Outlive),
        _ => Some(Streams::EndWithSession),
    }
}
