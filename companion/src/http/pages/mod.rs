//! Pages for people, below one path. Each works without JavaScript.

mod assets;
pub(super) mod docs;
mod form;
mod frame;
mod register;
mod return_to;
mod sign_in;
mod sign_out;
pub(super) mod site;
mod text;
mod view;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use self::site::Site;
use super::state::AppState;

/// Routes of the pages.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let Site { path, served, style, script, .. } = &*state.site;
    let page = |name: &str| format!("{path}/{name}");
    let mut routes = Router::new()
        .route(&style.address, get(assets::style))
        .route(&script.address, get(assets::script))
        .route(&page("logo"), get(assets::logo));
    if served.sign_in {
        routes = routes
            .route(&page("sign-in"), get(sign_in::show).post(sign_in::submit))
            .route(&page("sign-out"), post(sign_out::submit))
            .route(&page("signed-out"), get(sign_out::show));
    }
    if served.register {
        routes = routes.route(&page("register"), get(register::show).post(register::submit));
    }
    routes.layer(from_fn_with_state(state.clone(), frame::surround))
}
