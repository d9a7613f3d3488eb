//! The way back from the pages that sign in.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use edgeward_wire::return_to::is_own_page;
use serde::Deserialize;

/// Query of the pages.
#[derive(Default, Deserialize)]
pub(in crate::http) struct ReturnTo {
    #[serde(default)]
    return_to: String,
}

/// Returns the page to go on to: `return_to` if it is a page of this site, and else the front page. An invalid query does
/// not prevent the login.
pub(in crate::http) fn own_page(query: Result<Query<ReturnTo>, QueryRejection>) -> String {
    let return_to = query.map(|Query(query)| query.return_to).unwrap_or_default();
    if is_own_page(&return_to) { return_to } else { "/".to_owned() }
}
