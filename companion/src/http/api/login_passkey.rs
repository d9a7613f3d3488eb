//! `POST /auth/login/passkey/options` asks for a passkey, `POST /auth/login/passkey` starts a session with it.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::body;
use super::passkey::{RequestBody, ResponseFields};
use crate::domain::session::device::Device;
use crate::http::error::ApiError;
use crate::http::extract::json_body::JsonBody;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session;

/// Ask for a passkey
///
/// For one of any user: the browser offers those that it has for this site.
#[utoipa::path(
    post,
    path = "/auth/login/passkey/options",
    operation_id = "askForPasskey",
    tag = "Sessions",
    responses((status = 200, description = "The request", body = RequestBody)),
    extensions(("x-error-codes" = json!(["database_unavailable", "not_found", "too_many_attempts"]))),
)]
pub(in crate::http) async fn ask(
    context: Context,
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Json<RequestBody>, ApiError> {
    let AppState { guard, factors, cookies, .. } = &state;
    let devices: Vec<String> = cookies.read_every_device(&headers).map(str::to_owned).collect();
    Ok(Json(session::ask_to_log_in(&context, guard, factors, &devices).await?.into()))
}

/// Sign in with a passkey
///
/// Without an address and a password. The passkey has verified its user, so it is both factors at once.
#[utoipa::path(
    post,
    path = "/auth/login/passkey",
    operation_id = "logInWithPasskey",
    tag = "Sessions",
    request_body = ResponseFields,
    responses((status = 200, description = "Signed in", body = body::SignedInBody, headers(
        ("set-cookie" = String, description = "The cookies of the session and of the device, in three fields."),
    ))),
    extensions(("x-error-codes" = json!(["account_disabled", "challenge_expired", "credential_malformed", "database_unavailable", "not_found", "not_text", "passkey_unknown", "passkey_wrong", "required", "token_malformed"]))),
)]
pub(in crate::http) async fn login(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<ResponseFields>,
) -> Result<Response, ApiError> {
    let AppState { guard, tokens, factors, cookies, .. } = &state;
    let response = request.parse()?;
    let devices: Vec<String> = cookies.read_every_device(&headers).map(str::to_owned).collect();
    let login = (&response, devices.as_slice());
    let issued = session::log_in_with_passkey(&context, guard, tokens, factors, login, &device).await?;
    Ok(body::logged_in(cookies, &issued))
}
