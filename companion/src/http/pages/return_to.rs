//! The way back from the pages that sign in.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Redirect;
use edgeward_wire::authentication::{ACR_VALUES, MAX_AGE, PASSWORD};
use edgeward_wire::return_to::{PARAMETER, is_own_page};
use serde::Deserialize;

use super::site::Site;

/// Parameter of the address by which the page that signs in is opened after a registration.
const REGISTERED: &str = "registered";

/// Query of the pages.
#[derive(Default, Deserialize)]
pub(in crate::http) struct PageQuery {
    #[serde(default)]
    return_to: String,
    registered: Option<String>,
    /// Methods that the page to go on to demands, separated by spaces.
    #[serde(default)]
    acr_values: String,
}

/// Returns the page to go on to: `return_to` if it is a page of this site that does not sign in or out itself, and else the
/// front page. An invalid query does not prevent the login.
pub(in crate::http) fn own_page(site: &Site, query: Result<Query<PageQuery>, QueryRejection>) -> String {
    let return_to = query.map(|Query(query)| query.return_to).unwrap_or_default();
    if is_own_page(&return_to) && !signs_in_or_out(&site.path, &return_to) {
        return_to
    } else {
        "/".to_owned()
    }
}

fn signs_in_or_out(pages: &str, target: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let name = path.strip_prefix(pages).unwrap_or_default();
    path == "/login" || matches!(name, "/sign-in" | "/register" | "/sign-out" | "/signed-out" | "/confirm")
}

/// Returns `true` if the password is not enough for the page to go on to.
pub(in crate::http) fn demands_more(query: &Result<Query<PageQuery>, QueryRejection>) -> bool {
    let demands_more =
        |query: &PageQuery| query.acr_values.split_whitespace().any(|method| method != PASSWORD);
    query.as_ref().is_ok_and(|Query(query)| demands_more(query))
}

/// Returns `true` if the query of the login page asks for a fresh proof of a signed-in user, and not for a login.
pub(super) fn asks_for_proof(query: &str) -> bool {
    let names = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0));
    names.into_iter().any(|name| [MAX_AGE, ACR_VALUES].contains(&name))
}

/// Returns the page to go on to after a login, for a visitor of this one who is not signed in. The page that asks for a fresh
/// proof is none: the login is one.
pub(super) fn beyond_confirmation(site: &Site, target: String) -> String {
    let query =
        target.strip_prefix(&format!("{}/confirm", site.path)).and_then(|rest| rest.strip_prefix('?'));
    let Some(query) = query else { return target };
    serde_urlencoded::from_str(query).map_or_else(|_| site.home(), |PageQuery { return_to, .. }| return_to)
}

/// Makes the redirect to the page that asks for a fresh proof and then goes on to this page.
pub(super) fn confirm(site: &Site, target: &str) -> Redirect {
    let query = serde_urlencoded::to_string([(PARAMETER, target)]).unwrap_or_default();
    Redirect::to(&format!("{}/confirm?{query}", site.path))
}

/// Makes the redirect to a page. What a header field cannot carry is percent-encoded, as browsers do it (URL Standard,
/// "percent-encoded bytes").
pub(in crate::http) fn go_to(page: &str) -> Redirect {
    Redirect::to(&encode(page))
}

fn encode(page: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_graphic() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    page.bytes().map(encode).collect()
}

/// Returns `true` if the visitor has just registered.
pub(in crate::http) fn has_registered(query: &Result<Query<PageQuery>, QueryRejection>) -> bool {
    query.as_ref().is_ok_and(|Query(query)| query.registered.is_some())
}

/// Makes the redirect to the page that signs in and then goes on to this page.
pub(in crate::http) fn sign_in(site: &Site, target: &str, has_registered: bool) -> Redirect {
    let registered = has_registered.then_some((REGISTERED, ""));
    let target = is_own_page(target).then_some((PARAMETER, target));
    let query = [target, registered].into_iter().flatten().collect::<Vec<_>>();
    Redirect::to(&format!("{}/sign-in?{}", site.path, serde_urlencoded::to_string(query).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn way_back_is_no_page_that_signs_in_or_out() {
        for page in [
            "/login",
            "/login/",
            "/login?x",
            "/auth/sign-in",
            "/auth/register/",
            "/auth/signed-out#x",
            "/auth/confirm?return_to=/",
        ] {
            assert!(signs_in_or_out("/auth", page), "{page}");
        }
        for page in ["/", "/logins", "/auth/account", "/sign-in", "/auth/sign-in/help", "/auth/sign-in-help"]
        {
            assert!(!signs_in_or_out("/auth", page), "{page}");
        }
    }

    #[test]
    fn redirect_carries_every_page() {
        assert_eq!(encode("/a?b=%C3%BC&c=1#d"), "/a?b=%C3%BC&c=1#d");
        assert_eq!(encode("/ü b"), "/%C3%BC%20b");
    }

    #[test]
    fn login_page_is_asked_for_a_login_or_for_a_fresh_proof() {
        for (query, expected) in [
            ("", false),
            ("return_to=/x", false),
            ("return_to=/x&max_age=300", true),
            ("acr_values=mfa", true),
            ("return_to=/x?max_age=300", false),
            ("my_max_age=1&max_ages=1", false),
        ] {
            assert_eq!(asks_for_proof(query), expected, "{query}");
        }
    }
}
