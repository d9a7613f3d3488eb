//! `POST /auth/login/factor`: completes a login by a second factor; `POST /auth/login/factor/passkey/options` asks for a passkey.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body;
use super::passkey::{RequestBody, ResponseFields};
use crate::domain::factor::code::FactorCode;
use crate::domain::factor::ticket::Ticket;
use crate::domain::session::device::Device;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::{self, Completion, FactorProof};

/// Second step of a login.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = LoginCompletion)]
pub(in crate::http) struct CompletionRequest {
    #[schema(required, schema_with = fields::ticket)]
    token: TextField,
    #[schema(schema_with = fields::factor_code)]
    code: TextField,
    /// Passkey, in place of a code.
    #[schema(schema_with = fields::passkey)]
    passkey: Option<ResponseFields>,
}

/// Login that is to be completed by a passkey.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = PendingLoginToken)]
pub(in crate::http) struct PendingRequest {
    #[schema(required, schema_with = fields::ticket)]
    token: TextField,
}

/// Ask for a passkey that completes a sign-in
#[utoipa::path(
    post,
    path = "/auth/login/factor/passkey/options",
    operation_id = "askToCompleteLogIn",
    tag = "Sessions",
    request_body = PendingRequest,
    responses((status = 200, description = "The request", body = RequestBody)),
    extensions(("x-error-codes" = json!(["database_unavailable", "login_expired", "not_found", "not_text", "required", "token_malformed", "too_many_attempts"]))),
)]
pub(in crate::http) async fn ask(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<PendingRequest>,
) -> Result<Json<RequestBody>, ApiError> {
    let mut errors = FieldErrors::default();
    let ticket = errors.parse("token", request.token, Ticket::parse).ok_or_else(|| errors.into_error())?;
    let AppState { guard, factors, .. } = &state;
    Ok(Json(session::ask_to_complete(&context, guard, factors, &ticket, &device).await?.into()))
}

/// Complete a sign-in
///
/// By a code of an authenticator app, a recovery code, or a passkey. After a wrong one, the sign-in may be completed by another.
#[utoipa::path(
    post,
    path = "/auth/login/factor",
    operation_id = "completeLogIn",
    tag = "Sessions",
    request_body = CompletionRequest,
    responses((status = 200, description = "Signed in", body = body::SignedInBody, headers(
        ("set-cookie" = String, description = "The cookies of the session and of the device, in three fields."),
    ))),
    extensions(("x-error-codes" = json!(["account_disabled", "challenge_expired", "code_malformed", "credential_malformed", "database_unavailable", "factor_wrong", "login_expired", "not_found", "not_text", "passkey_unknown", "passkey_wrong", "required", "token_malformed", "too_many_attempts"]))),
)]
pub(in crate::http) async fn complete(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<CompletionRequest>,
) -> Result<Response, ApiError> {
    let AppState { guard, tokens, factors, cookies, .. } = &state;
    let mut errors = FieldErrors::default();
    let ticket = errors.parse("token", request.token, Ticket::parse);
    let factor = match request.passkey {
        Some(passkey) => Some(FactorProof::Passkey(Box::new(passkey.parse()?))),
        None => errors.parse("code", request.code, FactorCode::parse).map(FactorProof::Code),
    };
    let (Some(ticket), Some(factor)) = (ticket, factor) else { return Err(errors.into_error()) };
    let device_tokens = cookies.read_every_device(&headers).map(str::to_owned).collect();
    let completion = Completion { ticket, factor, device_tokens };
    let issued = session::complete_log_in(&context, guard, tokens, factors, &completion, &device).await?;
    Ok(body::logged_in(cookies, &issued))
}
