//! `POST /auth/factors/passkeys` begins to create a passkey, `POST /auth/factors/passkeys/confirm` adds it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::totp::AddedResponse;
use crate::domain::account::name::Name;
use crate::domain::factor::passkey::Creation;
use crate::domain::factor::ticket::Ticket;
use crate::http::api::passkey::{RequestBody, parse_credential};
use crate::http::error::ApiError;
use crate::http::extract::invalid_text::WrongCredential;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::factor::{self, Added};
use crate::service::session::SignedIn;
use crate::service::{Context, Error};

/// Way in which a passkey is created.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = PasskeyCreation)]
pub(in crate::http) struct CreationRequest {
    /// `true` if the browser creates it by itself (`mediation: "conditional"`). It signs in, and the password alone still does.
    #[schema(required = false)]
    automatic: bool,
}

/// New passkey.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = NewPasskey)]
pub(in crate::http) struct NewPasskeyRequest {
    #[schema(required, schema_with = fields::ticket)]
    pub(in crate::http) token: TextField,
    /// Credential of the browser, by its `toJSON`.
    #[schema(required, value_type = Object)]
    pub(in crate::http) credential: Value,
    #[schema(required, schema_with = fields::factor_name)]
    pub(in crate::http) name: TextField,
    /// As when it began.
    #[schema(required = false)]
    pub(in crate::http) automatic: bool,
}

/// New passkey, parsed.
pub(in crate::http) struct NewPasskey {
    ticket: Ticket,
    credential: RegisterPublicKeyCredential,
    name: Name,
    creation: Creation,
}

/// Begin to create a passkey
#[utoipa::path(
    post,
    path = "/auth/factors/passkeys",
    operation_id = "startPasskey",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    request_body = CreationRequest,
    responses((status = 200, description = "The request", body = RequestBody)),
    extensions(("x-error-codes" = json!(["insufficient_user_authentication", "not_found"]))),
)]
pub(in crate::http) async fn begin(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<CreationRequest>,
) -> Result<Json<RequestBody>, ApiError> {
    let user = (&signed_in.user, signed_in.subject);
    let creation = creation(request.automatic);
    Ok(Json(factor::begin_passkey(&context, &state.factors, user, creation).await?.into()))
}

/// Add a passkey
///
/// From then on a password alone does not sign in, unless the browser has created it by itself. With the first factor come ten
/// recovery codes.
#[utoipa::path(
    post,
    path = "/auth/factors/passkeys/confirm",
    operation_id = "confirmPasskey",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    request_body = NewPasskeyRequest,
    responses((status = 201, description = "Added", body = AddedResponse)),
    extensions(("x-error-codes" = json!(["challenge_expired", "credential_malformed", "credential_wrong", "name_has_invisible_character", "name_too_long", "not_found", "not_text", "required", "token_malformed", "too_many_factors"]))),
)]
pub(in crate::http) async fn confirm(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<NewPasskeyRequest>,
) -> Result<(StatusCode, Json<AddedResponse>), ApiError> {
    let added = request.parse()?.add(&context, &state, &signed_in).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

fn creation(automatic: bool) -> Creation {
    if automatic { Creation::Automatic } else { Creation::Deliberate }
}

impl NewPasskeyRequest {
    pub(in crate::http) fn parse(self) -> Result<NewPasskey, ApiError> {
        let mut errors = FieldErrors::default();
        let ticket = errors.parse("token", self.token, Ticket::parse);
        let name = errors.parse("name", self.name, Name::parse);
        let credential = parse_credential(&mut errors, self.credential);
        let (Some(ticket), Some(name), Some(credential)) = (ticket, name, credential) else {
            return Err(errors.into_error());
        };
        Ok(NewPasskey { ticket, credential, name, creation: creation(self.automatic) })
    }
}

impl NewPasskey {
    /// Adds the passkey. A wrong one is a mistake in its field: the user stays signed in, which a 401 would deny.
    pub(in crate::http) async fn add(
        self,
        context: &Context,
        state: &AppState,
        signed_in: &SignedIn,
    ) -> Result<Added, ApiError> {
        let Self { ticket, credential, name, creation } = self;
        let by = signed_in.subject;
        let added = factor::add_passkey(context, &state.factors, by, &ticket, credential, (&name, creation));
        added.await.map_err(|error| match error {
            Error::PasskeyWrong => FieldErrors::of("credential", &WrongCredential),
            error => error.into(),
        })
    }
}
