//! Settings of the pages: where they are, which are served, and in which language.

use super::sections::parse_base_path;
use super::{Reader, Section, settings};
use crate::domain::language::Language;

/// Pages for people.
pub struct Pages {
    /// `PAGES_PATH`: starts with a slash and does not end with one.
    pub path: String,
    /// Pages that are served: all but those of `PAGES_OFF`.
    pub served: PageSet,
    /// `PAGES_LANGUAGE`; `None` is the visitor's.
    pub language: Option<Language>,
}

/// Pages that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each page")]
pub struct PageSet {
    /// Sign in, and signed out.
    pub sign_in: bool,
    /// Register.
    pub register: bool,
    /// The user's account.
    pub account: bool,
    /// Administration.
    pub admin: bool,
}

impl Pages {
    /// Returns `true` if a page and a route of the API below `base_path` could have the same path.
    pub(super) fn overlap(&self, base_path: &str) -> bool {
        let is_below = |path: &str, other: &str| {
            path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        ["auth", "admin", "docs", "openapi.json"]
            .iter()
            .map(|name| format!("{base_path}/{name}"))
            .chain(["/.well-known".to_owned(), "/login".to_owned()])
            .any(|route| is_below(&self.path, &route) || is_below(&route, &self.path))
    }
}

impl Section for Pages {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let path = reader
            .parsed(&settings::PAGES_PATH, |text| parse_base_path(text).filter(|path| !path.is_empty()));
        let served = reader.parsed(&settings::PAGES_OFF, PageSet::without);
        let language = reader.parsed(&settings::PAGES_LANGUAGE, |text| match text {
            "auto" => Some(None),
            tag => Language::parse(tag).map(Some),
        });
        Some(Self { path: path?, served: served?, language: language? })
    }
}

impl PageSet {
    fn without(text: &str) -> Option<Self> {
        let mut served = Self { sign_in: true, register: true, account: true, admin: true };
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "sign-in" => served.sign_in = false,
                "register" => served.register = false,
                "account" => served.account = false,
                "admin" => served.admin = false,
                _ => return None,
            }
        }
        Some(served)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_api_have_no_path_in_common() {
        let check = |path: &str, base_path: &str, expected: bool| {
            let pages =
                Pages { path: path.to_owned(), served: PageSet::without("").unwrap(), language: None };
            assert_eq!(pages.overlap(base_path), expected, "{path} and {base_path}");
        };
        check("/auth", "/api", false);
        check("/api/pages", "/api", false);
        check("/api", "/api", true);
        check("/api/auth", "/api", true);
        check("/api/auth/pages", "/api", true);
        check("/api/authors", "/api", false);
        check("/auth", "", true);
        check("/account", "", false);
        check("/.well-known", "/api", true);
        check("/login", "/api", true);
        check("/login/pages", "/api", true);
    }

    #[test]
    fn pages_are_turned_off_one_by_one() {
        let all = PageSet { sign_in: true, register: true, account: true, admin: true };
        assert_eq!(PageSet::without(""), Some(all));
        assert_eq!(
            PageSet::without("admin, register"),
            Some(PageSet { admin: false, register: false, ..all })
        );
        assert_eq!(PageSet::without("login"), None);
    }
}
