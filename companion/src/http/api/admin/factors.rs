//! `GET /admin/users/{id}/factors` lists a user's second factors, `DELETE` removes all of them.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use serde::Serialize;
use utoipa::ToSchema;

use super::user_of;
use crate::http::api::factors::FactorsResponse;
use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::factor::{self, Reset};

/// Factors that were removed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FactorsReset)]
pub(in crate::http) struct FactorsResetResponse {
    /// Message for people.
    message: &'static str,
    /// Number of factors that were removed.
    factors_removed: u64,
    /// Number of sessions that ended.
    sessions_ended: usize,
}

/// List a user's second factors
#[utoipa::path(
    get,
    path = "/admin/users/{id}/factors",
    operation_id = "listUserFactors",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
    ),
    responses((status = 200, description = "The factors", body = FactorsResponse)),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(in crate::http) async fn list(
    context: Context,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<FactorsResponse>, ApiError> {
    let (_, list) = factor::list_of(&context, &user_of(id)?).await?;
    Ok(Json(list.into()))
}

/// Reset a user's second factors
///
/// Removes all factors and recovery codes, for somebody who has lost them, and ends all sessions. The password alone signs in then.
#[utoipa::path(
    delete,
    path = "/admin/users/{id}/factors",
    operation_id = "resetUserFactors",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
    ),
    responses((status = 200, description = "Removed", body = FactorsResetResponse)),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(in crate::http) async fn reset(
    context: Context,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<FactorsResetResponse>, ApiError> {
    let Reset { factors_removed, sessions_ended, .. } = factor::reset(&context, &user_of(id)?).await?;
    Ok(Json(FactorsResetResponse { message: "Factors reset successfully", factors_removed, sessions_ended }))
}
