//! `POST /auth/login/factor`: completes a login by a second factor.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body;
use crate::domain::factor::code::FactorCode;
use crate::domain::factor::ticket::Ticket;
use crate::domain::session::device::Device;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::{self, Completion};

/// Second step of a login.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = LoginCompletion)]
pub(in crate::http) struct CompletionRequest {
    #[schema(required, schema_with = fields::ticket)]
    token: TextField,
    #[schema(required, schema_with = fields::factor_code)]
    code: TextField,
}

/// Complete a sign-in
///
/// By a code of an authenticator app, or by a recovery code. After a wrong code, the sign-in may be completed by another one.
#[utoipa::path(
    post,
    path = "/auth/login/factor",
    operation_id = "completeLogIn",
    tag = "Sessions",
    request_body = CompletionRequest,
    responses((status = 200, description = "Signed in", body = body::SignedInBody, headers(
        ("set-cookie" = String, description = "The cookies of the session and of the device, in three fields."),
    ))),
    extensions(("x-error-codes" = json!(["account_disabled", "code_malformed", "database_unavailable", "factor_wrong", "login_expired", "not_text", "required", "token_malformed", "too_many_attempts"]))),
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
    let code = errors.parse("code", request.code, FactorCode::parse);
    let (Some(ticket), Some(code)) = (ticket, code) else { return Err(errors.into_error()) };
    let device_tokens = cookies.read_every_device(&headers).map(str::to_owned).collect();
    let completion = Completion { ticket, code, device_tokens };
    let issued = session::complete_log_in(&context, guard, tokens, factors, &completion, &device).await?;
    Ok(body::logged_in(cookies, &issued))
}
