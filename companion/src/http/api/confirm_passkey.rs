//! `POST /auth/confirm/passkey/options` asks the signed-in user for a passkey, `POST /auth/confirm/passkey` takes it for a proof of
//! who they are.

use axum::Json;
use axum::extract::State;

use super::body::SignedInBody;
use super::passkey::{RequestBody, ResponseFields};
use crate::http::cookies::SetCookies;
use crate::http::error::ApiError;
use crate::http::extract::json_body::JsonBody;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::{self, SignedIn};

/// Ask for a passkey of the signed-in user
#[utoipa::path(
    post,
    path = "/auth/confirm/passkey/options",
    operation_id = "askToConfirm",
    tag = "Sessions",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 200, description = "The request", body = RequestBody)),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(in crate::http) async fn ask(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
) -> Result<Json<RequestBody>, ApiError> {
    Ok(Json(session::ask_to_confirm(&context, &state.factors, signed_in.subject).await?.into()))
}

/// Confirm with a passkey
///
/// As `POST /auth/confirm`, without the password: the passkey has verified its user.
#[utoipa::path(
    post,
    path = "/auth/confirm/passkey",
    operation_id = "confirmWithPasskey",
    tag = "Sessions",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    request_body = ResponseFields,
    responses((status = 200, description = "Confirmed", body = SignedInBody, headers(
        ("set-cookie" = String, description = "The cookie of the access token."),
    ))),
    extensions(("x-error-codes" = json!(["challenge_expired", "credential_malformed", "not_found", "not_text", "passkey_unknown", "passkey_wrong", "required", "token_malformed"]))),
)]
pub(in crate::http) async fn confirm(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<ResponseFields>,
) -> Result<(SetCookies, Json<SignedInBody>), ApiError> {
    let AppState { tokens, factors, cookies, .. } = &state;
    let (response, by) = (request.parse()?, signed_in.subject);
    let access = session::confirm_with_passkey(&context, tokens, factors, by, &response).await?;
    Ok((cookies.set_access(&access), SignedInBody::new("User confirmed successfully", by.user_id)))
}
