//! Second factors on the account page, and the pages that add one.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{Account, Done, Section};
use crate::domain::FactorId;
use crate::domain::account::name::Name;
use crate::domain::factor::recovery_code::RecoveryCode;
use crate::domain::factor::ticket::Ticket;
use crate::http::api::factors::totp::ConfirmationRequest;
use crate::http::error::ApiError;
use crate::http::extract::json_body::FieldErrors;
use crate::http::pages::form::{Form, SentForm};
use crate::http::pages::qr::{self, Qr};
use crate::http::pages::view::View;
use crate::service::factor::{self, Enrolment};

/// Number of characters between two blanks of a key that is typed.
const GROUP: usize = 4;

#[derive(Template)]
#[template(path = "add_totp.html")]
struct AddTotpPage<'a> {
    view: &'a View,
    form: &'a Form,
    token: String,
    key: String,
    qr: Option<Qr>,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct RecoveryCodesPage<'a> {
    view: &'a View,
    codes: Vec<String>,
}

/// Makes the secret of an authenticator app, and shows it.
pub(in crate::http) async fn begin_totp(account: Account, form: SentForm) -> Result<Response, ApiError> {
    let Account { context, signed_in, state, view } = &account;
    if let Err(form) = form.verify(view.text) {
        return account.show(ApiError::FormForged.status(), Some((Section::Factors, form)), None).await;
    }
    let user = (&signed_in.user, signed_in.subject);
    let enrolment = factor::begin_totp(context, &state.factors, user).await?;
    let form = Form::of(&[("name", view.text.factors.totp)]);
    show_enrolment(view, &form, enrolment, StatusCode::OK)
}

/// Adds an authenticator app by its first code. If it is wrong, the page asks for another one.
pub(in crate::http) async fn confirm_totp(account: Account, form: SentForm) -> Result<Response, ApiError> {
    let Account { context, signed_in, state, view } = &account;
    let user = (&signed_in.user, signed_in.subject);
    let (sent, mut form) = match form.verify(view.text) {
        Ok(form) => (true, form),
        Err(form) => (false, form),
    };
    let (token, code, name) = (form.field("token"), form.field("code"), form.field("name"));
    let added = async {
        if !sent {
            return Err(ApiError::FormForged);
        }
        ConfirmationRequest { token, code, name }.parse()?.add(context, state, signed_in).await
    };
    let error = match added.await {
        Ok(added) => {
            return match added.recovery_codes {
                Some(codes) => show_codes(view, &codes),
                None => Ok(account.redirect_to(Done::FactorAdded)),
            };
        }
        Err(error) => error,
    };
    let head = form.reject(error, view.text, state.hasher.policy)?;
    let enrolment = async {
        let ticket = Ticket::parse(form.typed("token")).ok()?;
        factor::read_totp(context, &state.factors, user, ticket).await.ok()
    };
    match enrolment.await {
        Some(enrolment) => show_enrolment(view, &form, enrolment, head),
        // It is over: the account page says why.
        None => account.show(head, Some((Section::Factors, form)), None).await,
    }
}

/// Makes new recovery codes, and shows them.
pub(in crate::http) async fn create_codes(account: Account, form: SentForm) -> Result<Response, ApiError> {
    let Account { context, signed_in, state, view } = &account;
    if let Err(form) = form.verify(view.text) {
        return account.show(ApiError::FormForged.status(), Some((Section::Factors, form)), None).await;
    }
    let codes = factor::create_recovery_codes(context, &state.factors, signed_in.subject).await?;
    show_codes(view, &codes)
}

/// Renames or removes a factor.
pub(in crate::http) async fn change(account: Account, form: SentForm) -> Result<Response, ApiError> {
    account.submit(Section::Factors, form).await
}

impl Account {
    /// Makes the change of a form: `rename` or `remove`.
    pub(super) async fn change_factor(&self, form: &Form) -> Result<Done, ApiError> {
        let (context, by) = (&self.context, self.signed_in.subject);
        let id: FactorId = form.typed("id").parse().map_err(|_| ApiError::NotFound)?;
        match form.typed("change") {
            "rename" => {
                let mut errors = FieldErrors::default();
                let name = errors.parse("name", form.field("name"), Name::parse);
                let name = name.ok_or_else(|| errors.into_error())?;
                factor::rename(context, by, id, &name).await?;
                Ok(Done::FactorRenamed)
            }
            "remove" => {
                factor::remove(context, &self.state.factors, by, id).await?;
                Ok(Done::FactorRemoved)
            }
            _ => Err(ApiError::NotFound),
        }
    }
}

fn show_enrolment(
    view: &View,
    form: &Form,
    Enrolment { ticket, key }: Enrolment,
    head: impl IntoResponse,
) -> Result<Response, ApiError> {
    let groups: Vec<&str> =
        key.secret.as_bytes().chunks(GROUP).filter_map(|group| str::from_utf8(group).ok()).collect();
    let (token, qr) = (ticket.to_text(), qr::encode(&key.uri));
    view.show(head, &AddTotpPage { view, form, token, key: groups.join(" "), qr })
}

pub(super) fn show_codes(view: &View, codes: &[RecoveryCode]) -> Result<Response, ApiError> {
    let codes = codes.iter().map(RecoveryCode::show).collect();
    view.show(StatusCode::OK, &RecoveryCodesPage { view, codes })
}
