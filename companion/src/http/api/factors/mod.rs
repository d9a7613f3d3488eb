//! `GET /auth/factors` lists the signed-in user's second factors. `PATCH` and `DELETE /auth/factors/{id}` rename and remove one.

pub(in crate::http) mod passkeys;
pub(in crate::http) mod recovery_codes;
pub(in crate::http) mod totp;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Done, Timestamp};
use crate::domain::FactorId;
use crate::domain::account::name::Name;
use crate::domain::factor::{Factor, FactorList};
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::http::openapi::fields;
use crate::http::state::AppState;
use crate::service::session::SignedIn;
use crate::service::{Context, factor};

/// Second factors of a user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Factors)]
pub(in crate::http) struct FactorsResponse {
    /// Message for people.
    message: &'static str,
    factors: Vec<FactorBody>,
    /// Number of recovery codes that are left.
    recovery_codes_left: usize,
}

/// Second factor of a user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Factor)]
struct FactorBody {
    #[schema(schema_with = fields::id)]
    id: FactorId,
    /// `totp` for an authenticator app, or `passkey`.
    kind: &'static str,
    #[schema(example = "Phone")]
    name: String,
    /// `true` if a password alone does not sign in any more.
    demanded: bool,
    #[schema(schema_with = fields::timestamp)]
    created_at: Timestamp,
    /// Time of the last sign-in with it.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// New name of a factor.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = FactorName)]
pub(in crate::http) struct NameRequest {
    #[schema(required, schema_with = fields::factor_name)]
    name: TextField,
}

/// Second factors
///
/// Lists the user's authenticator apps and passkeys, and counts the recovery codes that are left.
#[utoipa::path(
    get,
    path = "/auth/factors",
    operation_id = "listFactors",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 200, description = "The factors", body = FactorsResponse)),
)]
pub(in crate::http) async fn list(
    context: Context,
    signed_in: SignedIn,
) -> Result<Json<FactorsResponse>, ApiError> {
    Ok(Json(factor::list(&context, signed_in.user.id).await?.into()))
}

/// Rename a factor
#[utoipa::path(
    patch,
    path = "/auth/factors/{id}",
    operation_id = "renameFactor",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(("id" = i64, Path, description = "ID of the factor", minimum = 1)),
    request_body = NameRequest,
    responses((status = 200, description = "Renamed", body = Done)),
    extensions(("x-error-codes" = json!(["insufficient_user_authentication", "name_has_invisible_character", "name_too_long", "not_found", "not_text", "required"]))),
)]
pub(in crate::http) async fn rename(
    context: Context,
    signed_in: SignedIn,
    id: Result<Path<String>, PathRejection>,
    JsonBody(request): JsonBody<NameRequest>,
) -> Result<Json<Done>, ApiError> {
    let id = factor_of(id)?;
    let mut errors = FieldErrors::default();
    let name = errors.parse("name", request.name, Name::parse).ok_or_else(|| errors.into_error())?;
    factor::rename(&context, signed_in.subject, id, &name).await?;
    Ok(Done::new("Factor renamed successfully"))
}

/// Remove a factor
///
/// While a second factor is demanded, two ways to pass it stay: other factors, or recovery codes. With the last factor, the
/// recovery codes go, and the password alone signs in again.
#[utoipa::path(
    delete,
    path = "/auth/factors/{id}",
    operation_id = "removeFactor",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(("id" = i64, Path, description = "ID of the factor", minimum = 1)),
    responses((status = 200, description = "Removed", body = Done)),
    extensions(("x-error-codes" = json!(["insufficient_user_authentication", "not_found", "too_few_ways"]))),
)]
pub(in crate::http) async fn remove(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Done>, ApiError> {
    factor::remove(&context, &state.factors, signed_in.subject, factor_of(id)?).await?;
    Ok(Done::new("Factor removed successfully"))
}

/// Reads the ID of a factor from the path. Another text is the path of nothing.
fn factor_of(path: Result<Path<String>, PathRejection>) -> Result<FactorId, ApiError> {
    let Path(id) = path.map_err(|_| ApiError::NotFound)?;
    id.parse().map_err(|_| ApiError::NotFound)
}

impl From<FactorList> for FactorsResponse {
    fn from(list: FactorList) -> Self {
        Self {
            message: "Factors fetched successfully",
            factors: list.factors.into_iter().map(Into::into).collect(),
            recovery_codes_left: list.recovery_codes,
        }
    }
}

impl From<Factor> for FactorBody {
    fn from(factor: Factor) -> Self {
        Self {
            id: factor.id,
            kind: factor.kind.as_str(),
            name: factor.name.as_str().to_owned(),
            demanded: factor.is_demanded,
            created_at: Timestamp(factor.created_at),
            last_used_at: factor.last_used_at.map(Timestamp),
        }
    }
}
