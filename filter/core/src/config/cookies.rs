//! Section `cookies`: the names of our two cookies.

use edgeward_wire::cookie;

use super::section::Section;
use crate::policy::Cookies;

/// Reads `cookies`. An absent name has its default.
pub(super) fn read(root: &mut Section<'_, '_>) -> Cookies {
    let mut cookies = Cookies { access: cookie::ACCESS.to_owned(), refresh: cookie::REFRESH.to_owned() };
    let Some(mut section) = root.section("cookies") else { return cookies };
    cookies.access = section.http_token("access").unwrap_or(cookies.access);
    cookies.refresh = section.http_token("refresh").unwrap_or(cookies.refresh);
    if cookies.access == cookies.refresh {
        section.add_mistake("refresh", "must differ from access");
    }
    section.reject_unknown();
    cookies
}
