//! The way back from the pages that sign in.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
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

/// Returns the page to go on to: `return_to` if it is a page of this site, and else the front page. An invalid query does
/// not prevent the login.
pub(in crate::http) fn own_page(query: Result<Query<ReturnTo>, QueryRejection>) -> String {
    let return_to = query.map(|Query(query)| query.return_to).unwrap_or_default();
    if is_own_page(&return_to) { return_to } else { "/".to_owned() }
}

/// Returns `true` if the visitor has just registered.
pub(in crate::http) fn has_registered(query: &Result<Query<ReturnTo>, QueryRejection>) -> bool {
    query.as_ref().is_ok_and(|Query(query)| query.registered.is_some())
}

/// Returns the address of the page that signs in and then goes on to this page.
pub(in crate::http) fn sign_in(site: &Site, target: &str, has_registered: bool) -> String {
    let registered = has_registered.then_some((REGISTERED, ""));
    let query = [Some((PARAMETER, target)), registered].into_iter().flatten().collect::<Vec<_>>();
    format!("{}/sign-in?{}", site.path, serde_urlencoded::to_string(query).unwrap_or_default())
}
