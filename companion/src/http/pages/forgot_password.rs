//! Pages that set a new password in place of a forgotten one. The page that a link opens uses nothing up, because programs that
//! scan mails open links: the form does.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::done::DonePage;
use super::form::{Form, SentForm};
use super::view::View;
use crate::http::api::password_reset::{ConfirmReset, ResetRequest};
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::{Context, account};

#[derive(Template)]
#[template(path = "forgot_password.html")]
struct ForgotPage<'a> {
    view: &'a View,
    form: &'a Form,
}

#[derive(Template)]
#[template(path = "reset_password.html")]
struct ResetPage<'a> {
    view: &'a View,
    form: &'a Form,
    hint: String,
}

/// Query of a link.
#[derive(Default, Deserialize)]
pub(in crate::http) struct LinkQuery {
    #[serde(default)]
    pub(super) token: String,
}

pub(in crate::http) async fn show(view: View) -> Result<Response, ApiError> {
    view.show(StatusCode::OK, &ForgotPage { view: &view, form: &Form::default() })
}

pub(in crate::http) async fn submit(
    context: Context,
    State(state): State<AppState>,
    view: View,
    form: SentForm,
) -> Result<Response, ApiError> {
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => {
            return view.show(ApiError::FormForged.status(), &ForgotPage { view: &view, form: &form });
        }
    };
    let requested = async {
        let email = ResetRequest { email: form.field("email") }.parse()?;
        Ok::<_, ApiError>(account::request_password_reset(&context, &state.guard, &email).await?)
    };
    match requested.await {
        Ok(handle) => {
            let form = Form::of(&[("requestId", &handle.expose())]);
            show_reset(&view, &state, StatusCode::OK, &form)
        }
        Err(error) => {
            let head = form.reject(error, view.text, state.hasher.policy)?;
            view.show(head, &ForgotPage { view: &view, form: &form })
        }
    }
}

/// Shows the form that a link leads to.
pub(in crate::http) async fn show_link(
    State(state): State<AppState>,
    view: View,
    query: Result<Query<LinkQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let token = query.map(|Query(query)| query.token).unwrap_or_default();
    if token.is_empty() {
        return Ok(Redirect::to(&format!("{}/forgot-password", state.site.path)).into_response());
    }
    show_reset(&view, &state, StatusCode::OK, &Form::of(&[("token", &token)]))
}

pub(in crate::http) async fn reset(
    context: Context,
    State(state): State<AppState>,
    view: View,
    form: SentForm,
) -> Result<Response, ApiError> {
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return show_reset(&view, &state, ApiError::FormForged.status(), &form),
    };
    let request = ConfirmReset {
        token: form.field("token"),
        request_id: form.field("requestId"),
        code: form.field("code"),
        password: form.field("password"),
    };
    match request.apply(&context, &state).await {
        Ok(()) => {
            let text = view.text;
            let page = DonePage::signing_in(&view, text.mail.new_password_title, text.mail.password_reset);
            view.show(StatusCode::OK, &page)
        }
        Err(error) => {
            let head = form.reject(error, view.text, state.hasher.policy)?;
            show_reset(&view, &state, head, &form)
        }
    }
}

fn show_reset(
    view: &View,
    state: &AppState,
    head: impl IntoResponse,
    form: &Form,
) -> Result<Response, ApiError> {
    let hint = view.text.password_hint.replace("{min}", &state.hasher.policy.min_chars.to_string());
    view.show(head, &ResetPage { view, form, hint })
}
