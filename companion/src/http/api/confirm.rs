//! `POST /auth/confirm`: the signed-in user proves anew who they are.

use axum::Json;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::SignedInBody;
use crate::http::cookies::SetCookies;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::{self, SignedIn};

/// Password of the signed-in user.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = Confirmation)]
pub(in crate::http) struct ConfirmRequest {
    #[schema(required, schema_with = fields::password)]
    pub(in crate::http) password: TextField,
}

/// Confirm
///
/// Proves anew who the signed-in user is, for calls that demand a recent authentication: they have responded 401 with the code
/// `insufficient_user_authentication`. The session goes on, with a new access token.
#[utoipa::path(
    post,
    path = "/auth/confirm",
    operation_id = "confirm",
    tag = "Sessions",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    request_body = ConfirmRequest,
    responses((status = 200, description = "Confirmed", body = SignedInBody, headers(
        ("set-cookie" = String, description = "The cookie of the access token."),
    ))),
    extensions(("x-error-codes" = json!(["credentials_wrong", "not_text", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn confirm(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<ConfirmRequest>,
) -> Result<(SetCookies, Json<SignedInBody>), ApiError> {
    let AppState { hasher, guard, tokens, cookies, .. } = &state;
    let password = request.parse()?;
    let user = (&signed_in.user, signed_in.subject);
    let access = session::confirm(&context, hasher, guard, tokens, user, &password).await?;
    let body = SignedInBody::new("User confirmed successfully", signed_in.user.id);
    Ok((cookies.set_access(&access), body))
}

impl ConfirmRequest {
    pub(in crate::http) fn parse(self) -> Result<SecretString, ApiError> {
        let mut errors = FieldErrors::default();
        errors.require("password", self.password).map(SecretString::from).ok_or_else(|| errors.into_error())
    }
}
