//! Address of the signed-in user: its verification, and its change. Both go on with the code of a mail.

use axum::response::Response;
use secrecy::SecretString;

use super::{Account, Section};
use crate::domain::account::email::Email;
use crate::domain::token::one_time::{OneTimeToken, Purpose};
use crate::http::error::ApiError;
use crate::http::extract::json_body::FieldErrors;
use crate::http::pages::form::{Form, SentForm};
use crate::http::pages::mail_link;
use crate::service::{Error, account};

/// Name of the field with the password.
const PASSWORD: &str = "emailPassword";

impl Account {
    async fn send(&self, purpose: Purpose, form: SentForm) -> Result<Response, ApiError> {
        let Self { state, view, context, signed_in } = self;
        let mut form = match form.verify(view.text) {
            Ok(form) => form,
            Err(form) => {
                return self.show(ApiError::FormForged.status(), Some((Section::Email, form)), None).await;
            }
        };
        let requested = match purpose {
            Purpose::ChangeEmail => self.request_change(&form).await,
            _ => account::request_verification(context, &state.guard, &signed_in.user)
                .await
                .map_err(ApiError::from),
        };
        match requested {
            Ok(handle) => mail_link::show_code(view, purpose, &handle),
            Err(error) => {
                if matches!(error, ApiError::Service(Error::WrongCredentials)) {
                    form.add_mistake(PASSWORD, view.text.current_password_wrong);
                }
                let head = form.reject(error, view.text, state.hasher.policy)?;
                self.show(head, Some((Section::Email, form)), None).await
            }
        }
    }

    async fn request_change(&self, form: &Form) -> Result<OneTimeToken, ApiError> {
        let Self { state, context, signed_in, .. } = self;
        let mut errors = FieldErrors::default();
        let email = errors.parse("newEmail", form.field("newEmail"), Email::parse);
        let password = errors.require(PASSWORD, form.field(PASSWORD)).map(SecretString::from);
        let (Some(email), Some(password)) = (email, password) else { return Err(errors.into_error()) };
        let (hasher, guard, user) = (&state.hasher, &state.guard, (&signed_in.user, signed_in.subject));
        Ok(account::request_email_change(context, hasher, guard, user, &password, &email).await?)
    }
}

pub(in crate::http) async fn verify(account: Account, form: SentForm) -> Result<Response, ApiError> {
    account.send(Purpose::VerifyEmail, form).await
}

pub(in crate::http) async fn change(account: Account, form: SentForm) -> Result<Response, ApiError> {
    account.send(Purpose::ChangeEmail, form).await
}
