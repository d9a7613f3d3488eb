//! `POST /auth/factors/recovery-codes`: makes new recovery codes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::factor::recovery_code::RecoveryCode;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::session::SignedIn;
use crate::service::{Context, factor};

/// New recovery codes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecoveryCodes)]
pub(in crate::http) struct RecoveryCodesResponse {
    /// Message for people.
    message: &'static str,
    /// Ten codes, each of which replaces a factor once. They are in this response alone.
    recovery_codes: Vec<String>,
}

/// Make recovery codes
///
/// They replace the former ones. A user without a factor has none.
#[utoipa::path(
    post,
    path = "/auth/factors/recovery-codes",
    operation_id = "createRecoveryCodes",
    tag = "Second factors",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 201, description = "The codes", body = RecoveryCodesResponse)),
    extensions(("x-error-codes" = json!(["insufficient_user_authentication", "not_found"]))),
)]
pub(in crate::http) async fn create(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
) -> Result<(StatusCode, Json<RecoveryCodesResponse>), ApiError> {
    let codes = factor::create_recovery_codes(&context, &state.factors, signed_in.subject).await?;
    let recovery_codes = codes.iter().map(RecoveryCode::show).collect();
    let body = RecoveryCodesResponse { message: "Recovery codes created successfully", recovery_codes };
    Ok((StatusCode::CREATED, Json(body)))
}
