//! Section `rules`: each rule is checked by itself and against those before it.

use edgeward_wire::authentication::{MAX_METHODS, METHODS};
use edgeward_wire::role::{self, is_role};

use super::MAX_NAMES;
use super::section::{Mistakes, Section, is_http_token};
use crate::rules::{Access, Pattern, Rule, Rules, StepUp, Streams};

/// Names of the members that demand something of the user's last authentication.
const STEP_UP: [&str; 2] = ["max_auth_age_seconds", "require"];
/// Maximum of `max_auth_age_seconds`: a year. Chosen: longer than a session lasts.
const MAX_AUTH_AGE_S: u32 = 31_536_000;
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
    let step_up = read_step_up(&mut section, access.as_ref());
    let forward_cookies = section.flag("forward_cookies").unwrap_or(false);
    let streams = read_streams(&mut section);
    section.reject_unknown();
    let access = access?;
    let streams = streams.unwrap_or(Streams::default_for(&access));
    Some(Rule { pattern: pattern?, methods, access, step_up, forward_cookies, streams })
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

/// Reads `access` or `roles`. A rule that demands something of the user's last authentication needs neither.
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
        (false, false) if STEP_UP.iter().any(|name| section.has(name)) => Some(Access::SignedIn),
        (false, false) => section.reject("", "needs access (\"public\" or \"signed_in\") or roles"),
        (true, true) => {
            section.take("access");
            section.take("roles");
            section.reject("", "has access and roles, and may have only one of them")
        }
    }
}

/// Reads `max_auth_age_seconds` and `require`.
fn read_step_up(section: &mut Section<'_, '_>, access: Option<&Access>) -> StepUp {
    if access == Some(&Access::Public) {
        for name in STEP_UP.into_iter().filter(|name| section.has(name)) {
            section.add_mistake(
                name,
                "demands something of users, and with access \"public\" there may be none",
            );
        }
    }
    let max_age_s = section.integer("max_auth_age_seconds", 1..=MAX_AUTH_AGE_S);
    let shape = format!("one of: {}", METHODS.join(", "));
    let named = section.texts("require", MAX_METHODS, |text| METHODS.contains(&text), &shape);
    let named = named.unwrap_or_default();
    let methods = METHODS.into_iter().filter(|method| named.iter().any(|name| name == method)).collect();
    StepUp { max_age_s, methods }
}

/// Reads `streams`; `None` if it is absent.
fn read_streams(section: &mut Section<'_, '_>) -> Option<Streams> {
    match section.one_of("streams", &["end_with_session", "outlive"])? {
        "outlive" => Some(Streams::Outlive),
        _ => Some(Streams::EndWithSession),
    }
}
