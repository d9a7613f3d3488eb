//! `/login`, the address that gateways redirect to: it leads to the page that signs in, or that asks for a fresh proof. Browsers keep the fragment (RFC
//! 9110 §10.2.2).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Redirect;

use super::return_to;
use super::site::Site;

/// Redirects to the page that signs in, with the parameter `register` to the one that registers, or with `max_age` or
/// `acr_values` to the one that asks a signed-in user for a fresh proof.
pub(in crate::http) async fn redirect(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Redirect {
    let query = query.unwrap_or_default();
    let registers = query.split('&').any(|pair| pair == "register" || pair.starts_with("register="));
    let page = if return_to::asks_for_proof(&query) {
        "confirm"
    } else if registers && site.served.register {
        "register"
    } else {
        "sign-in"
    };
    let separator = if query.is_empty() { "" } else { "?" };
    Redirect::to(&format!("{}/{page}{separator}{query}", site.path))
}
