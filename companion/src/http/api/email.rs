//! `POST /auth/email` and `POST /auth/email/verification`: the address of the signed-in user. `POST /auth/mail/confirm`: what the
//! links and codes of mails permit, except a new password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::Done;
use super::password_reset::MailRequested;
use super::proof;
use crate::domain::account::email::Email;
use crate::domain::token::one_time::{OneTimeToken, Proof, Purpose};
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::guard::Guard;
use crate::service::session::SignedIn;
use crate::service::{Context, account, session};

/// New address, and the password.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = EmailChange)]
pub(in crate::http) struct EmailRequest {
    #[schema(required, schema_with = fields::email)]
    pub(in crate::http) email: TextField,
    #[schema(required, schema_with = fields::password)]
    pub(in crate::http) password: TextField,
}

/// Purpose of a mail, and the proof that it was received: `token`, or `requestId` with `code`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = MailConfirmation)]
pub(in crate::http) struct ConfirmRequest {
    #[schema(required, schema_with = fields::purpose)]
    purpose: TextField,
    #[schema(schema_with = fields::link_token)]
    token: TextField,
    #[schema(schema_with = fields::request_id)]
    request_id: TextField,
    #[schema(schema_with = fields::code)]
    code: TextField,
}

/// Verify the address
///
/// Sends a link and a code to the user's address. Not found if such mails are not sent.
#[utoipa::path(
    post,
    path = "/auth/email/verification",
    operation_id = "requestEmailVerification",
    tag = "Accounts",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 202, description = "Requested", body = MailRequested)),
    extensions(("x-error-codes" = json!(["not_found", "too_many_attempts"]))),
)]
pub(in crate::http) async fn request_verification(
    context: Context,
    signed_in: SignedIn,
    State(guard): State<Arc<Guard>>,
) -> Result<(StatusCode, Json<MailRequested>), ApiError> {
    let handle = account::request_verification(&context, &guard, &signed_in.user).await?;
    Ok(MailRequested::new("A mail is on its way", &handle))
}

/// Change the address
///
/// Sends a link and a code to the new address, and changes nothing until it is confirmed. Not found if such mails are not sent.
#[utoipa::path(
    post,
    path = "/auth/email",
    operation_id = "requestEmailChange",
    tag = "Accounts",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    request_body = EmailRequest,
    responses((status = 202, description = "Requested", body = MailRequested)),
    extensions(("x-error-codes" = json!(["busy", "credentials_wrong", "email_has_invisible_character", "email_malformed", "email_not_ascii", "email_too_long", "not_found", "not_text", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn request_change(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<EmailRequest>,
) -> Result<(StatusCode, Json<MailRequested>), ApiError> {
    let handle = request.apply(&context, &state, &signed_in).await?;
    Ok(MailRequested::new("A mail is on its way to the new e-mail", &handle))
}

/// Confirm by a mail
///
/// Does what a mail is for: `verify_email`, `change_email`, `undo_email` or `disown_sign_in`. The token is used by it.
#[utoipa::path(
    post,
    path = "/auth/mail/confirm",
    operation_id = "confirmByMail",
    tag = "Accounts",
    request_body = ConfirmRequest,
    responses((status = 200, description = "Done", body = Done)),
    extensions(("x-error-codes" = json!(["database_unavailable", "email_taken", "link_invalid", "not_found", "not_text", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn confirm(
    context: Context,
    State(guard): State<Arc<Guard>>,
    JsonBody(request): JsonBody<ConfirmRequest>,
) -> Result<Json<Done>, ApiError> {
    let mut errors = FieldErrors::default();
    let purpose = errors.require("purpose", request.purpose).ok_or_else(|| errors.into_error())?;
    let purpose = Purpose::parse_confirmed(&purpose).ok_or(ApiError::NotFound)?;
    let proof = proof::parse(request.token, request.request_id, request.code)?;
    apply(&context, &guard, purpose, &proof).await?;
    Ok(Done::new("Confirmed successfully"))
}

/// Does what a mail permits.
pub(in crate::http) async fn apply(
    context: &Context,
    guard: &Guard,
    purpose: Purpose,
    proof: &Proof,
) -> Result<(), ApiError> {
    match purpose {
        Purpose::VerifyEmail => account::verify_email(context, guard, proof).await?,
        Purpose::ChangeEmail => account::change_email(context, guard, proof).await?,
        Purpose::UndoEmail => account::undo_email_change(context, guard, proof).await?,
        Purpose::DisownSignIn => session::disown(context, guard, proof).await?,
        // It needs a new password, too.
        Purpose::ResetPassword => return Err(ApiError::NotFound),
    }
    Ok(())
}

impl EmailRequest {
    /// Reads the fields, and sends the mail.
    pub(in crate::http) async fn apply(
        self,
        context: &Context,
        AppState { hasher, guard, .. }: &AppState,
        signed_in: &SignedIn,
    ) -> Result<OneTimeToken, ApiError> {
        let mut errors = FieldErrors::default();
        let email = errors.parse("email", self.email, Email::parse);
        let password = errors.require("password", self.password).map(SecretString::from);
        let (Some(email), Some(password)) = (email, password) else { return Err(errors.into_error()) };
        let user = (&signed_in.user, signed_in.subject);
        let requested = account::request_email_change(context, hasher, guard, user, &password, &email).await;
        Ok(requested?)
    }
}
