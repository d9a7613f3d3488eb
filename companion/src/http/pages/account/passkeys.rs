//! Page that adds a passkey. Its script asks for the request, and sends the response of the browser.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::factors::show_codes;
use super::{Account, Done};
use crate::http::api::factors::passkeys::NewPasskeyRequest;
use crate::http::api::passkey::ResponseFields;
use crate::http::error::ApiError;
use crate::http::pages::form::{Form, SentForm};
use crate::http::pages::view::View;

#[derive(Template)]
#[template(path = "add_passkey.html")]
struct AddPasskeyPage<'a> {
    view: &'a View,
    form: &'a Form,
}

pub(in crate::http) async fn show(account: Account) -> Result<Response, ApiError> {
    let Account { state, view, .. } = &account;
    state.factors.party()?;
    let form = &Form::of(&[("name", view.text.factors.passkey)]);
    view.show(StatusCode::OK, &AddPasskeyPage { view, form })
}

/// Adds the passkey that the browser has created.
pub(in crate::http) async fn add(account: Account, form: SentForm) -> Result<Response, ApiError> {
    let Account { context, signed_in, state, view } = &account;
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => {
            let head = ApiError::FormForged.status().into_response();
            return view.show(head, &AddPasskeyPage { view, form: &form });
        }
    };
    let added = async {
        let ResponseFields { token, credential } = ResponseFields::of_form(&form).unwrap_or_default();
        let request = NewPasskeyRequest { token, credential, name: form.field("name"), automatic: false };
        request.parse()?.add(context, state, signed_in).await
    };
    match added.await {
        Ok(added) => match added.recovery_codes {
            Some(codes) => show_codes(view, &codes),
            None => Ok(account.redirect_to(Done::FactorAdded)),
        },
        Err(error) => {
            let head = form.reject(error, view.text, state.hasher.policy)?;
            view.show(head, &AddPasskeyPage { view, form: &form })
        }
    }
}
