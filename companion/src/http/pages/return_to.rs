//! The way back from the pages that sign in.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Redirect;
use edgeward_wire::return_to::{PARAMETER, is_own_page};
use serde::Deserialize;

use super::site::Site;

/// Parameter of the address by which the page that signs in is opened after a registration.
const REGISTERED: &str = "registered";

/// Query of the pages.
#[derive(Default, Deserialize)]
pub(in crate::http) struct ReturnTo {
    #[serde(default)]
    return_to: String,
    registered: Option<String>,
}

/// Returns the page to go on to: `return_to` if it is a page of this site that does not sign in or out itself, and else the
/// front page. An invalid query does not prevent the login.
pub(in crate::http) fn own_page(site: &Site, query: Result<Query<ReturnTo>, QueryRejection>) -> String {
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
    path == "/login" || matches!(name, "/sign-in" | "/register" | "/sign-out" | "/signed-out")
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
pub(in crate::http) fn has_registered(query: &Result<Query<ReturnTo>, QueryRejection>) -> bool {
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
        for page in
            ["/login", "/login/", "/login?x", "/auth/sign-in", "/auth/register/", "/auth/signed-out#x"]
        {
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
}
