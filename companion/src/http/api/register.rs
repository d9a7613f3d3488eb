//! `POST /auth/register`: creates an account and starts a session.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{self, Done};
use crate::domain::account::NewUser;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::password::Password;
use crate::domain::account::password_policy::PasswordPolicy;
use crate::domain::account::role::Role;
use crate::domain::session::device::Device;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::account::{self, Registration};

// It has no role: a client must not choose its own (CVE-2026-31071).
/// New account.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = Registration)]
pub(in crate::http) struct RegisterRequest {
    #[schema(required, schema_with = fields::first_name)]
    pub(in crate::http) first_name: TextField,
    #[schema(required, schema_with = fields::last_name)]
    pub(in crate::http) last_name: TextField,
    #[schema(required, schema_with = fields::email)]
    pub(in crate::http) email: TextField,
    #[schema(required, schema_with = fields::new_password)]
    pub(in crate::http) password: TextField,
}

/// Register
///
/// Creates an account and starts a session. With `REGISTRATION_HIDES_EMAILS=on` it starts none, and does not tell if the
/// address was known.
#[utoipa::path(
    post,
    path = "/auth/register",
    operation_id = "register",
    tag = "Accounts",
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "Registered and signed in", body = body::SignedInBody, headers(
            ("set-cookie" = String, description = "The cookies of the session and of the device, in three fields."),
        )),
        (status = 202, description = "Registered, or known already; sign in", body = Done),
    ),
    extensions(("x-error-codes" = json!(["busy", "database_unavailable", "email_has_invisible_character", "email_malformed", "email_not_ascii", "email_taken", "email_too_long", "name_has_invisible_character", "name_too_long", "not_text", "password_has_control_character", "password_too_common", "password_too_long", "password_too_short", "password_too_weak", "required", "too_many_attempts"]))),
)]
pub(in crate::http) async fn register(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<Response, ApiError> {
    let AppState { hasher, guard, tokens, cookies, http, .. } = &state;
    let (user, password) = request.parse(hasher.policy)?;
    let device_tokens = cookies.read_every_device(&headers).map(str::to_owned).collect();
    let registration = Registration { user, password, device_tokens };
    if http.registration_hides_emails {
        account::register_discreetly(&context, hasher, guard, registration).await?;
        return Ok((
            StatusCode::ACCEPTED,
            Done::new("This e-mail is registered now, or was before: please sign in"),
        )
            .into_response());
    }
    let issued = account::register(&context, hasher, guard, tokens, registration, &device).await?;
    Ok(body::signed_in(cookies, StatusCode::CREATED, "User registered successfully", &issued))
}

impl RegisterRequest {
    pub(in crate::http) fn parse(self, policy: PasswordPolicy) -> Result<(NewUser, Password), ApiError> {
        let mut errors = FieldErrors::default();
        let first_name = errors.parse("firstName", self.first_name, Name::parse);
        let last_name = errors.parse("lastName", self.last_name, Name::parse);
        let email = errors.parse("email", self.email, Email::parse);
        let password = errors.parse("password", self.password, |typed| policy.parse(typed));
        match (first_name, last_name, email, password) {
            (Some(first_name), Some(last_name), Some(email), Some(password)) => {
                Ok((NewUser { first_name, last_name, email, role: Role::initial() }, password))
            }
            _ => Err(errors.into_error()),
        }
    }
}
