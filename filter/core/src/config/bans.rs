//! Section `bans`: the requests that are rejected from banned networks.

use super::MAX_NAMES;
use super::section::Section;
use crate::path::CanonicalPath;

/// Default of `bans.paths`: login, its second step, and registration, by the companion's API and by its pages.
const DEFAULT_PATHS: [&str; 6] = [
    "/api/auth/login",
    "/api/auth/login/factor",
    "/api/auth/register",
    "/auth/sign-in",
    "/auth/factor",
    "/auth/register",
];

/// Reads `bans`, and returns the paths of attempts with credentials.
pub(super) fn read(root: &mut Section<'_, '_>) -> Vec<String> {
    let paths = root.section("bans").and_then(|mut section| {
        let paths =
            section.texts("paths", MAX_NAMES, is_canonical, "a path in the spelling that it is matched in");
        section.reject_unknown();
        paths
    });
    paths.unwrap_or_else(|| DEFAULT_PATHS.map(str::to_owned).into())
}

/// `true` if the text is a path without a query, in its canonical spelling.
fn is_canonical(text: &str) -> bool {
    CanonicalPath::read(text.as_bytes()).is_ok_and(|path| path.as_str() == text)
}
