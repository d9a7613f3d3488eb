//! Setting `login_url`: the page that browsers without a valid token are redirected to.

use super::section::Section;

/// Reads `login_url`: a path of the gateway, or the URL of a page elsewhere. `return_to` is appended to it as the only
/// query.
pub(super) fn read(root: &mut Section<'_, '_>) -> Option<String> {
    let url = root.text("login_url")?;
    let ours = url.starts_with('/') && !url.starts_with("//");
    let elsewhere =
        url.strip_prefix("https://").or(url.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty());
    if !(ours || elsewhere) || url.contains(['?', '#', '\\', ' ']) {
        root.add_mistake("login_url", "must be a path or an http(s) URL, without query and fragment");
    }
    Some(url)
}
