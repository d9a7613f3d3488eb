//! `POST /auth/confirm`: the signed-in user proves anew who they are.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::SignedInBody;
use crate::domain::factor::code::FactorCode;
use crate::http::cookies::SetCookies;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::session::{self, Confirmation, SignedIn};
use crate::service::{Context, factor};

/// Password of the signed-in user, and a code if the user has a second factor.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = Confirmation)]
pub(in crate::http) struct ConfirmRequest {
    #[schema(required, schema_with = fields::password)]
    pub(in crate::http) password: TextField,
    #[schema(schema_with = fields::factor_code)]
    pub(in crate::http) code: TextField,
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
    extensions(("x-error-codes" = json!(["code_malformed", "credentials_wrong", "factor_wrong", "not_text", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn confirm(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<ConfirmRequest>,
) -> Result<(SetCookies, Json<SignedInBody>), ApiError> {
    let AppState { hasher, guard, tokens, factors, cookies, .. } = &state;
    let takes_code = factor::is_demanded(&context, signed_in.user.id).await?;
    let confirmation = request.parse(takes_code)?;
    let user = (&signed_in.user, signed_in.subject);
    let access = session::confirm(&context, hasher, guard, tokens, factors, user, &confirmation).await?;
    let body = SignedInBody::new("User confirmed successfully", signed_in.user.id);
    Ok((cookies.set_access(&access), body))
}

impl ConfirmRequest {
    /// Parses the request of a user who needs a code, or of one who has none.
    pub(in crate::http) fn parse(self, takes_code: bool) -> Result<Confirmation, ApiError> {
        let mut errors = FieldErrors::default();
        let password = errors.require("password", self.password);
        let code = takes_code.then(|| errors.parse("code", self.code, FactorCode::parse));
        match (password, code) {
            (Some(password), None) => Ok(Confirmation { password: password.into(), code: None }),
            (Some(password), Some(Some(code))) => {
                Ok(Confirmation { password: password.into(), code: Some(code) })
            }
            _ => Err(errors.into_error()),
        }
    }
}
