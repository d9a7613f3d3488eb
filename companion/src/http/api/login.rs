//! `POST /auth/login`: starts a session.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body;
use crate::domain::account::email::Email;
use crate::domain::session::device::Device;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::{self, Credentials};

/// Address and password of a login.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = Credentials)]
pub(in crate::http) struct LoginRequest {
    #[schema(required, schema_with = fields::email)]
    pub(in crate::http) email: TextField,
    #[schema(required, schema_with = fields::password)]
    pub(in crate::http) password: TextField,
}

/// Sign in
///
/// Starts a session. A wrong password and an unknown address have the same response.
#[utoipa::path(
    post,
    path = "/auth/login",
    operation_id = "logIn",
    tag = "Sessions",
    request_body = LoginRequest,
    responses((status = 200, description = "Signed in", body = body::SignedInBody, headers(
        ("set-cookie" = String, description = "The cookies of the session and of the device, in three fields."),
    ))),
    extensions(("x-error-codes" = json!(["account_disabled", "busy", "credentials_wrong", "database_unavailable", "email_has_invisible_character", "email_malformed", "email_not_ascii", "email_too_long", "not_text", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn login(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<Response, ApiError> {
    let AppState { hasher, guard, tokens, cookies, .. } = &state;
    let credentials = request.parse(cookies.read_every_device(&headers).map(str::to_owned).collect())?;
    let issued = session::log_in(&context, hasher, guard, tokens, &credentials, &device).await?;
    Ok(body::signed_in(cookies, StatusCode::OK, "User logged in successfully", &issued))
}

impl LoginRequest {
    pub(in crate::http) fn parse(self, device_tokens: Vec<String>) -> Result<Credentials, ApiError> {
        let mut errors = FieldErrors::default();
        let email = errors.parse("email", self.email, Email::parse);
        // Not held to the rules for new passwords: an old one may be shorter.
        let password = errors.require("password", self.password).map(SecretString::from);
        match (email, password) {
            (Some(email), Some(password)) => Ok(Credentials { email, password, device_tokens }),
            _ => Err(errors.into_error()),
        }
    }
}
