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
    let path = return_to.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let is_of_pages = |name: &str| path.strip_prefix(site.path.as_str()) == Some(name);
    let leads_on = path != "/login"
        && !["/sign-in", "/register", "/sign-out", "/signed-out"].into_iter().any(is_of_pages);
    if is_own_page(&return_to) && leads_on { return_to } else { "/".to_owned() }
}

/// Makes the redirect to a page. What a header field cannot carry is percent-encoded, as browsers do it (URL Standard,
/// "percent-encoded bytes").
pub(in crate::http) fn go_to(page: &str) -> Redirect {
    let encode = |byte: u8| {
        if byte.is_ascii_graphic() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    Redirect::to(&page.bytes().map(encode).collect::<String>())
}

/// Returns `true` if the visitor has just registered.
pub(in crate::http) fn has_registered(query: &Result<Query<ReturnTo>, QueryRejection>) -> bool {
    query.as_ref().is_ok_and(|Query(query)| query.registered.is_some())
}

/// Makes the redirect to the page that signs in and then goes on to this page.
pub(in crate::http) fn sign_in(site: &Site, target: &str, has_registered: bool) -> Redirect {
    let registered = has_registered.then_some((REGISTERED, ""));
    let query = [Some((PARAMETER, target)), registered].into_iter().flatten().collect::<Vec<_>>();
    Redirect::to(&format!("{}/sign-in?{}", site.path, serde_urlencoded::to_string(query).unwrap_or_default()))
}
