//! `POST /auth/factors/totp` makes the secret of an authenticator app, `POST /auth/factors/totp/confirm` adds the app.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::FactorId;
use crate::domain::account::name::Name;
use crate::domain::factor::code::parse_digits;
use crate::domain::factor::recovery_code::RecoveryCode;
use crate::domain::factor::ticket::Ticket;
use crate::http::error::ApiError;
use crate::http::extract::invalid_text::WrongCode;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::factor::{self, Added, Enrolment};
use crate::service::session::SignedIn;
use crate::service::{Context, Error};

/// Secret of an authenticator app that is being added.
#[derive(Serialize, ToSchema)]
#[schema(as = TotpEnrolment)]
pub(in crate::http) struct EnrolmentResponse {
    /// Message for people.
    message: &'static str,
    /// Token for `POST /auth/factors/totp/confirm`, for ten minutes.
    token: String,
    /// Secret in base32, to be typed into the app.
    secret: String,
    /// Key URI, to be shown as a QR code.
    #[schema(
        example = "otpauth://totp/Edgeward:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Edgeward"
    )]
    uri: String,
}

/// First code of an authenticator app.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = TotpConfirmation)]
pub(in crate::http) struct ConfirmationRequest {
    #[schema(required, schema_with = fields::ticket)]
    pub(in crate::http) token: TextField,
    #[schema(required, schema_with = fields::totp_code)]
    pub(in crate::http) code: TextField,
    #[schema(required, schema_with = fields::factor_name)]
    pub(in crate::http) name: TextField,
}

/// First code of an authenticator app, parsed.
pub(in crate::http) struct Confirmation {
    pub(in crate::http) ticket: Ticket,
    pub(in crate::http) code: String,
    pub(in crate::http) name: Name,
}

/// Factor that was added.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AddedFactor)]
pub(in crate::http) struct AddedResponse {
    /// Message for people.
    message: &'static str,
    #[schema(schema_with = fields::id)]
    factor_id: FactorId,
    /// Recovery codes, if there were none before; otherwise null. They are in this response alone.
    #[schema(required)]
    recovery_codes: Option<Vec<String>>,
}

/// Begin to add an authenticator app
#[utoipa::path(
    post,
    path = "/auth/factors/totp",
    operation_id = "startTotp",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 200, description = "The secret", body = EnrolmentResponse)),
    extensions(("x-error-codes" = json!(["insufficient_user_authentication"]))),
)]
pub(in crate::http) async fn begin(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
) -> Result<Json<EnrolmentResponse>, ApiError> {
    let user = (&signed_in.user, signed_in.subject);
    let Enrolment { ticket, key } = factor::begin_totp(&context, &state.factors, user).await?;
    Ok(Json(EnrolmentResponse {
        message: "Scan the code with your authenticator app, and confirm by its first code",
        token: ticket.to_text(),
        secret: key.secret,
        uri: key.uri,
    }))
}

/// Add an authenticator app
///
/// From then on a password alone does not sign in. With the first factor come ten recovery codes.
#[utoipa::path(
    post,
    path = "/auth/factors/totp/confirm",
    operation_id = "confirmTotp",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    request_body = ConfirmationRequest,
    responses((status = 201, description = "Added", body = AddedResponse)),
    extensions(("x-error-codes" = json!(["challenge_expired", "code_malformed", "code_wrong", "name_has_invisible_character", "name_too_long", "not_text", "required", "token_malformed", "too_many_attempts", "too_many_factors"]))),
)]
pub(in crate::http) async fn confirm(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    JsonBody(request): JsonBody<ConfirmationRequest>,
) -> Result<(StatusCode, Json<AddedResponse>), ApiError> {
    let confirmation = request.parse()?;
    let added = confirmation.add(&context, &state, &signed_in).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

impl From<Added> for AddedResponse {
    fn from(Added { id, recovery_codes }: Added) -> Self {
        let recovery_codes = recovery_codes.map(|codes| codes.iter().map(RecoveryCode::show).collect());
        Self { message: "Factor added successfully", factor_id: id, recovery_codes }
    }
}

impl ConfirmationRequest {
    pub(in crate::http) fn parse(self) -> Result<Confirmation, ApiError> {
        let mut errors = FieldErrors::default();
        let ticket = errors.parse("token", self.token, Ticket::parse);
        let code = errors.parse("code", self.code, parse_digits);
        let name = errors.parse("name", self.name, Name::parse);
        match (ticket, code, name) {
            (Some(ticket), Some(code), Some(name)) => Ok(Confirmation { ticket, code, name }),
            _ => Err(errors.into_error()),
        }
    }
}

impl Confirmation {
    /// Adds the app. A wrong code is a mistake in its field: the user stays signed in, which a 401 would deny.
    pub(in crate::http) async fn add(
        &self,
        context: &Context,
        state: &AppState,
        signed_in: &SignedIn,
    ) -> Result<Added, ApiError> {
        let AppState { guard, factors, .. } = state;
        let user = (&signed_in.user, signed_in.subject);
        let Self { ticket, code, name } = self;
        let added = factor::add_totp(context, guard, factors, user, ticket, code, name).await;
        added.map_err(|error| match error {
            Error::WrongFactor => FieldErrors::of("code", &WrongCode),
            error => error.into(),
        })
    }
}
