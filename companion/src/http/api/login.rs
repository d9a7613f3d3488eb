//! `POST /auth/login`: starts a session.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{self, Timestamp};
use crate::domain::account::email::Email;
use crate::domain::factor::Way;
use crate::domain::session::device::Device;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::session::{self, Credentials, PendingLogin, SignIn};

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

/// Sign-in that waits for a second factor.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PendingLogin)]
pub(in crate::http) struct PendingLoginBody {
    /// Message for people.
    message: &'static str,
    /// Token for `POST /auth/login/factor`.
    token: String,
    #[schema(schema_with = fields::timestamp)]
    expires_at: Timestamp,
    /// Ways to complete it: `totp`, `passkey`, `recovery_code`.
    ways: Vec<&'static str>,
}

/// Sign in
///
/// Starts a session. A wrong password and an unknown address have the same response. If the user has a second factor, no
/// session starts yet: `POST /auth/login/factor` completes it within ten minutes, by the same program.
#[utoipa::path(
    post,
    path = "/auth/login",
    operation_id = "logIn",
    tag = "Sessions",
    request_body = LoginRequest,
    responses((status = 200, description = "Signed in", body = body::SignedInBody, headers(
        ("set-cookie" = String, description = "The cookies of the session and of the device, in three fields."),
    )), (status = 202, description = "A second factor is needed", body = PendingLoginBody)),
    extensions(("x-error-codes" = json!(["account_disabled", "busy", "credentials_wrong", "database_unavailable", "email_has_invisible_character", "email_malformed", "email_not_ascii", "email_too_long", "not_text", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn login(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<Response, ApiError> {
    let AppState { hasher, guard, tokens, factors, cookies, .. } = &state;
    let credentials = request.parse(cookies.read_every_device(&headers).map(str::to_owned).collect())?;
    match session::log_in(&context, hasher, guard, tokens, factors, &credentials, &device).await? {
        SignIn::Started(issued) => Ok(body::logged_in(cookies, &issued)),
        SignIn::Pending(PendingLogin { ticket, expires_at, ways }) => {
            let body = PendingLoginBody {
                message: "A second factor is needed",
                token: ticket.to_text(),
                expires_at: Timestamp(expires_at),
                ways: ways.into_iter().map(Way::as_str).collect(),
            };
            Ok((StatusCode::ACCEPTED, Json(body)).into_response())
        }
    }
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
