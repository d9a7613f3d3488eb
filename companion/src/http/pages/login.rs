//! `/login`, the address that gateways redirect to: it leads to the page that signs in. Browsers keep the fragment (RFC
//! 9110 §10.2.2).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Redirect;

use super::site::Site;

/// Redirects to the page that signs in, or with the parameter `register` to the one that registers.
pub(in crate::http) async fn redirect(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Redirect {
    let query = query.unwrap_or_default();
    let registers = query.split('&').any(|pair| pair == "register" || pair.starts_with("register="));
    let page = if registers && site.served.register { "register" } else { "sign-in" };
    let separator = if query.is_empty() { "" } else { "?" };
    Redirect::to(&format!("{}/{page}{separator}{query}", site.path))
}
