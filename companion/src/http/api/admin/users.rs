//! `GET /admin/users` lists and searches users. `GET`, `PATCH` and `DELETE /admin/users/{id}` show, change and delete one.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::user_body::AdminUserBody;
use super::user_of;
use crate::domain::account::UserChanges;
use crate::domain::account::name::Name;
use crate::domain::account::role::Role;
use crate::domain::account::search::{Search, UserCursor, UserFilter};
use crate::domain::page::PageSize;
use crate::http::error::ApiError;
use crate::http::extract::invalid_text::parse_flag;
use crate::http::extract::json_body::JsonBody;
use crate::http::extract::known_fields::KnownFields;
use crate::http::openapi::fields;
use crate::service::Context;
use crate::service::account::{self, LastAdmin};

/// Changes of a user.
#[derive(ToSchema)]
#[schema(as = UserChanges, rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "describes the members that `change` takes one by one, to collect their mistakes"
)]
struct UserChangesBody {
    #[schema(required = false, schema_with = fields::role)]
    role: Role,
    /// `true` to disable the sign-in and end all sessions, `false` to enable it.
    #[schema(required = false)]
    disabled: bool,
    #[schema(required = false, schema_with = fields::first_name)]
    first_name: Name,
    #[schema(required = false, schema_with = fields::last_name)]
    last_name: Name,
}

/// Page of users.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Users)]
pub(in crate::http) struct UsersResponse {
    /// Message for people.
    message: &'static str,
    users: Vec<AdminUserBody>,
    /// Cursor of the next page; null after the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// One user.
#[derive(Serialize, ToSchema)]
#[schema(as = ShownUser)]
pub(in crate::http) struct UserResponse {
    /// Message for people.
    message: &'static str,
    user: AdminUserBody,
}

/// User who was changed or deleted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChangedUser)]
pub(in crate::http) struct UserChangedResponse {
    /// Message for people.
    message: &'static str,
    user: AdminUserBody,
    /// Number of sessions that ended.
    sessions_ended: usize,
}

/// List users
///
/// In order of their IDs, or with a search in alphabetical order of what it has found.
#[utoipa::path(
    get,
    path = "/admin/users",
    operation_id = "listUsers",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("search" = Option<String>, Query, description = "Beginning of the e-mail address or the last name in any case, or the ID. At most 254 bytes, without invisible characters", format = "search", max_length = 254),
        ("role" = Option<String>, Query, description = "Role of the users", pattern = "^[a-z0-9][a-z0-9_-]{0,63}$"),
        ("disabled" = Option<bool>, Query, description = "`true` for users who may not sign in"),
        ("limit" = Option<i32>, Query, description = "Size of the page; 50 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses((status = 200, description = "A page of users", body = UsersResponse)),
    extensions(("x-error-codes" = json!(["cursor_invalid", "limit_out_of_range", "not_true_or_false", "query_invalid", "role_malformed", "search_has_invisible_character", "search_too_long", "unknown"]))),
)]
pub(in crate::http) async fn list(
    context: Context,
    mut query: KnownFields,
) -> Result<Json<UsersResponse>, ApiError> {
    let filter = UserFilter {
        search: query.parse("search", Search::parse).flatten(),
        role: query.parse("role", Role::parse),
        disabled: query.parse("disabled", parse_flag),
    };
    let after = query.parse("cursor", UserCursor::decode).unwrap_or_default();
    let size = query.parse("limit", PageSize::parse).unwrap_or_default();
    query.finish()?;
    let page = account::list(&context, &filter, &after, size).await?;
    Ok(Json(UsersResponse {
        message: "Users fetched successfully",
        users: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|next| next.encode()),
    }))
}

/// Show a user
#[utoipa::path(
    get,
    path = "/admin/users/{id}",
    operation_id = "getUser",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
    ),
    responses((status = 200, description = "The user", body = UserResponse)),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(in crate::http) async fn show(
    context: Context,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<UserResponse>, ApiError> {
    let user = account::find(&context, &user_of(id)?).await?;
    Ok(Json(UserResponse { message: "User fetched successfully", user: user.into() }))
}

/// Change a user
///
/// All changes or none. What is not named stays. The gateway applies them within two seconds.
#[utoipa::path(
    patch,
    path = "/admin/users/{id}",
    operation_id = "changeUser",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
    ),
    request_body = UserChangesBody,
    responses((status = 200, description = "The user afterwards", body = UserChangedResponse)),
    extensions(("x-error-codes" = json!(["last_admin", "name_has_invisible_character", "name_too_long", "not_found", "not_text", "not_true_or_false", "required", "role_malformed", "unknown"]))),
)]
pub(in crate::http) async fn change(
    context: Context,
    id: Result<Path<String>, PathRejection>,
    JsonBody(members): JsonBody<Map<String, Value>>,
) -> Result<Json<UserChangedResponse>, ApiError> {
    let user = user_of(id)?;
    let mut body = KnownFields::of_body(members);
    let changes = UserChanges {
        role: body.parse("role", Role::parse),
        disabled: body.read("disabled", "not_true_or_false", "true or false", Value::as_bool),
        first_name: body.parse("firstName", Name::parse),
        last_name: body.parse("lastName", Name::parse),
    };
    body.finish()?;
    let (user, sessions_ended) = account::update(&context, &user, &changes, LastAdmin::Stays).await?;
    Ok(Json(UserChangedResponse { message: "User changed successfully", user: user.into(), sessions_ended }))
}

/// Delete a user
///
/// And all sessions. The entries in the audit log stay.
#[utoipa::path(
    delete,
    path = "/admin/users/{id}",
    operation_id = "deleteUser",
    tag = "Administration",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    params(
        ("id" = i64, Path, description = "ID of the user", minimum = 1),
    ),
    responses((status = 200, description = "The user as they were", body = UserChangedResponse)),
    extensions(("x-error-codes" = json!(["last_admin", "not_found"]))),
)]
pub(in crate::http) async fn delete(
    context: Context,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<UserChangedResponse>, ApiError> {
    let (user, sessions_ended) = account::delete(&context, &user_of(id)?, LastAdmin::Stays).await?;
    Ok(Json(UserChangedResponse { message: "User deleted successfully", user: user.into(), sessions_ended }))
}
