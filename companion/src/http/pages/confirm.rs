//! Page that asks a signed-in user for a fresh proof, and goes on to the page that demands it.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::form::{Form, SentForm};
use super::return_to::{self, PageQuery};
use super::view::View;
use crate::domain::factor::Way;
use crate::http::api::confirm::ConfirmRequest;
use crate::http::api::passkey::ResponseFields;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::session::{self, SignedIn};
use crate::service::{Context, Error, factor};

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    view: &'a View,
    email: &'a str,
    form: &'a Form,
    /// `true` if the user has a second factor.
    takes_code: bool,
    takes_passkey: bool,
    /// `true` if the password is not enough for the page to go on to, and the user has nothing more.
    demands_more: bool,
}

pub(in crate::http) async fn show(
    context: Context,
    signed_in: SignedIn,
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (email, form) = (signed_in.user.email.as_str(), &Form::default());
    let (takes_code, takes_passkey) = ways(&context, &view, &signed_in).await?;
    let demands_more = !takes_code && !takes_passkey && return_to::demands_more(&query);
    let page = ConfirmPage { view: &view, email, form, takes_code, takes_passkey, demands_more };
    view.show(StatusCode::OK, &page)
}

pub(in crate::http) async fn submit(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
    form: SentForm,
) -> Result<Response, ApiError> {
    let (takes_code, takes_passkey) = ways(&context, &view, &signed_in).await?;
    let demands_more = !takes_code && !takes_passkey && return_to::demands_more(&query);
    let return_to = return_to::own_page(&view.site, query);
    let email = signed_in.user.email.as_str();
    let show = |form: &Form, head: Response| {
        let view = &view;
        view.show(head, &ConfirmPage { view, email, form, takes_code, takes_passkey, demands_more })
    };
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return show(&form, ApiError::FormForged.status().into_response()),
    };
    let AppState { hasher, guard, tokens, factors, cookies, .. } = &state;
    let confirmed = async {
        if let Some(passkey) = ResponseFields::of_form(&form) {
            let (response, by) = (passkey.parse()?, signed_in.subject);
            return Ok(session::confirm_with_passkey(&context, tokens, factors, by, &response).await?);
        }
        let request = ConfirmRequest { password: form.field("password"), code: form.field("code") };
        let confirmation = request.parse(takes_code)?;
        let user = (&signed_in.user, signed_in.subject);
        Ok(session::confirm(&context, hasher, guard, tokens, factors, user, &confirmation).await?)
    };
    match confirmed.await {
        Ok(access) => Ok((cookies.set_access(&access), return_to::go_to(&return_to)).into_response()),
        Err(error) => {
            if matches!(error, ApiError::Service(Error::WrongCredentials)) {
                form.add_mistake("password", view.text.current_password_wrong);
            }
            let head = form.reject(error, view.text, hasher.policy)?;
            show(&form, head)
        }
    }
}

/// Returns `true` if the user needs a code beside the password, and `true` if they have a passkey.
async fn ways(context: &Context, view: &View, signed_in: &SignedIn) -> Result<(bool, bool), Error> {
    let factors = factor::list(context, signed_in.user.id).await?;
    let takes_passkey = factors.ways(view.site.rp_id.as_deref()).contains(&Way::Passkey);
    Ok((factors.is_demanded(), takes_passkey))
}
