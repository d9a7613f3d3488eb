//! Page that asks a signed-in user for a fresh proof, and goes on to the page that demands it.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::form::{Form, SentForm};
use super::return_to::{self, PageQuery};
use super::view::View;
use crate::http::api::confirm::ConfirmRequest;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::session::{self, SignedIn};
use crate::service::{Context, Error};

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    view: &'a View,
    email: &'a str,
    form: &'a Form,
    /// `true` if the password is not enough for the page to go on to.
    demands_more: bool,
}

pub(in crate::http) async fn show(
    signed_in: SignedIn,
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (email, form) = (signed_in.user.email.as_str(), &Form::default());
    let demands_more = return_to::demands_more(&query);
    view.show(StatusCode::OK, &ConfirmPage { view: &view, email, form, demands_more })
}

pub(in crate::http) async fn submit(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
    form: SentForm,
) -> Result<Response, ApiError> {
    let demands_more = return_to::demands_more(&query);
    let return_to = return_to::own_page(&view.site, query);
    let email = signed_in.user.email.as_str();
    let show = |form: &Form, head: Response| {
        view.show(head, &ConfirmPage { view: &view, email, form, demands_more })
    };
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return show(&form, ApiError::FormForged.status().into_response()),
    };
    let AppState { hasher, guard, tokens, cookies, .. } = &state;
    let confirmed = async {
        let password = ConfirmRequest { password: form.field("password") }.parse()?;
        let user = (&signed_in.user, signed_in.subject);
        Ok(session::confirm(&context, hasher, guard, tokens, user, &password).await?)
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
