//! Sign out, and the page after it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::form::SentForm;
use super::view::View;
use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::{self, PresentedTokens};

/// Data that the browser removes (Clear Site Data): stored pages of the user's, for the back button too. Cookies of others on
/// this host stay.
const CLEAR_SITE_DATA: (&str, &str) = ("clear-site-data", "\"cache\"");

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage<'a> {
    view: &'a View,
}

/// Asks if the visitor wants to sign out. A link alone signs nobody out.
pub(in crate::http) async fn ask(view: View) -> Result<Response, ApiError> {
    view.show(StatusCode::OK, &SignOutPage { view: &view })
}

/// Says that the visitor is signed out; one who is not is asked first.
pub(in crate::http) async fn show(
    State(cookies): State<Arc<CookiePolicy>>,
    view: View,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if cookies.read_every_access(&headers).chain(cookies.read_every_refresh(&headers)).next().is_some() {
        return ask(view).await;
    }
    view.show(StatusCode::OK, &SignedOutPage { view: &view })
}

/// Ends the sessions of the tokens in the request. A form that is too old is asked for again.
pub(in crate::http) async fn submit(
    context: Context,
    State(state): State<AppState>,
    view: View,
    headers: HeaderMap,
    form: SentForm,
) -> Result<Response, ApiError> {
    if form.verify(view.text).is_err() {
        return view.show(ApiError::FormForged.status(), &SignOutPage { view: &view });
    }
    let AppState { tokens, cookies, site, .. } = &state;
    let presented = PresentedTokens {
        access: cookies.read_every_access(&headers).collect(),
        refresh: cookies.read_every_refresh(&headers).collect(),
    };
    session::log_out(&context, tokens, &presented).await?;
    let redirect = Redirect::to(&format!("{}/signed-out", site.path));
    Ok(([CLEAR_SITE_DATA], cookies.clear(), redirect).into_response())
}
