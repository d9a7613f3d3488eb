//! `POST /auth/password-reset` and `POST /auth/password-reset/confirm`: a new password in place of a forgotten one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Done;
use super::proof;
use crate::domain::account::email::Email;
use crate::domain::token::one_time::OneTimeToken;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::guard::Guard;
use crate::service::{Context, account};

/// Address whose password is forgotten.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = PasswordResetRequest)]
pub(in crate::http) struct ResetRequest {
    #[schema(required, schema_with = fields::email)]
    pub(in crate::http) email: TextField,
}

/// Proof that the mail was received, `token` or `requestId` with `code`, and the new password.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = PasswordReset)]
pub(in crate::http) struct ConfirmReset {
    #[schema(schema_with = fields::link_token)]
    pub(in crate::http) token: TextField,
    #[schema(schema_with = fields::request_id)]
    pub(in crate::http) request_id: TextField,
    #[schema(schema_with = fields::code)]
    pub(in crate::http) code: TextField,
    #[schema(required, schema_with = fields::new_password)]
    pub(in crate::http) password: TextField,
}

/// Body of a response to a request for a mail with a code.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MailRequested)]
pub(in crate::http) struct MailRequested {
    /// Message for people.
    message: &'static str,
    /// The code of the mail counts beside it alone.
    request_id: String,
}

/// Request a password reset
///
/// Sends a link and a code, if a user has the address. The response does not tell. Not found if such mails are not sent.
#[utoipa::path(
    post,
    path = "/auth/password-reset",
    operation_id = "requestPasswordReset",
    tag = "Accounts",
    request_body = ResetRequest,
    responses((status = 202, description = "Requested", body = MailRequested)),
    extensions(("x-error-codes" = json!(["database_unavailable", "email_has_invisible_character", "email_malformed", "email_not_ascii", "email_too_long", "not_found", "not_text", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn request(
    context: Context,
    State(guard): State<Arc<Guard>>,
    JsonBody(request): JsonBody<ResetRequest>,
) -> Result<(StatusCode, Json<MailRequested>), ApiError> {
    let email = request.parse()?;
    let handle = account::request_password_reset(&context, &guard, &email).await?;
    Ok(MailRequested::new("If a user has this e-mail, a mail is on its way", &handle))
}

/// Reset a password
///
/// Sets the new password, and ends all sessions. It starts none: the user signs in.
#[utoipa::path(
    post,
    path = "/auth/password-reset/confirm",
    operation_id = "resetPassword",
    tag = "Accounts",
    request_body = ConfirmReset,
    responses((status = 200, description = "Changed", body = Done)),
    extensions(("x-error-codes" = json!(["busy", "database_unavailable", "link_invalid", "not_found", "not_text", "password_has_control_character", "password_too_common", "password_too_long", "password_too_short", "password_too_weak", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn confirm(
    context: Context,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<ConfirmReset>,
) -> Result<Json<Done>, ApiError> {
    request.apply(&context, &state).await?;
    Ok(Done::new("Password changed successfully: please sign in"))
}

impl ResetRequest {
    pub(in crate::http) fn parse(self) -> Result<Email, ApiError> {
        let mut errors = FieldErrors::default();
        errors.parse("email", self.email, Email::parse).ok_or_else(|| errors.into_error())
    }
}

impl ConfirmReset {
    /// Reads the fields, and sets the password.
    pub(in crate::http) async fn apply(
        self,
        context: &Context,
        AppState { hasher, guard, .. }: &AppState,
    ) -> Result<(), ApiError> {
        let mut errors = FieldErrors::default();
        let password = errors.parse("password", self.password, |typed| hasher.policy.parse(typed));
        let proof = proof::parse(self.token, self.request_id, self.code);
        let Some(password) = password else { return Err(errors.into_error()) };
        Ok(account::reset_password(context, hasher, guard, &proof?, password).await?)
    }
}

impl MailRequested {
    pub(super) fn new(message: &'static str, handle: &OneTimeToken) -> (StatusCode, Json<Self>) {
        (StatusCode::ACCEPTED, Json(Self { message, request_id: handle.expose() }))
    }
}
