//! Pages that ask to confirm what a mail is for. Opening one uses nothing up, because programs that scan mails open links: the
//! form does.

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::done::DonePage;
use super::forgot_password::LinkQuery;
use super::form::{Form, SentForm};
use super::text::Confirmation;
use super::view::View;
use crate::domain::token::one_time::{OneTimeToken, Purpose};
use crate::http::api::{email, proof};
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::Context;

#[derive(Template)]
#[template(path = "mail_link.html")]
struct LinkPage<'a> {
    view: &'a View,
    form: &'a Form,
    purpose: Purpose,
    words: Confirmation,
}

pub(in crate::http) async fn show(
    view: View,
    purpose: Result<Path<String>, PathRejection>,
    query: Result<Query<LinkQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let token = query.map(|Query(query)| query.token).unwrap_or_default();
    render(&view, StatusCode::OK, parse(purpose)?, &Form::of(&[("token", &token)]))
}

pub(in crate::http) async fn submit(
    context: Context,
    State(state): State<AppState>,
    view: View,
    purpose: Result<Path<String>, PathRejection>,
    form: SentForm,
) -> Result<Response, ApiError> {
    let purpose = parse(purpose)?;
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return render(&view, ApiError::FormForged.status(), purpose, &form),
    };
    let confirmed = async {
        let proof = proof::parse(form.field("token"), form.field("requestId"), form.field("code"))?;
        email::apply(&context, &state.guard, purpose, &proof).await
    };
    match confirmed.await {
        Ok(()) => {
            let words = (view.text.mail.confirmation)(purpose);
            let page = match purpose {
                Purpose::UndoEmail | Purpose::DisownSignIn => {
                    DonePage::setting_password(&view, words.title, words.done)
                }
                _ => DonePage::signing_in(&view, words.title, words.done),
            };
            view.show(StatusCode::OK, &page)
        }
        Err(error) => {
            let head = form.reject(error, view.text, state.hasher.policy)?;
            render(&view, head, purpose, &form)
        }
    }
}

/// Shows the form for the code of a mail that was just sent.
pub(super) fn show_code(view: &View, purpose: Purpose, handle: &OneTimeToken) -> Result<Response, ApiError> {
    render(view, StatusCode::OK, purpose, &Form::of(&[("requestId", &handle.expose())]))
}

fn render(view: &View, head: impl IntoResponse, purpose: Purpose, form: &Form) -> Result<Response, ApiError> {
    let words = (view.text.mail.confirmation)(purpose);
    view.show(head, &LinkPage { view, form, purpose, words })
}

fn parse(purpose: Result<Path<String>, PathRejection>) -> Result<Purpose, ApiError> {
    let Path(name) = purpose.map_err(|_| ApiError::NotFound)?;
    Purpose::parse_confirmed(&name).ok_or(ApiError::NotFound)
}
