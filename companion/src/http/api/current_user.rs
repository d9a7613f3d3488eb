//! `GET /auth/self`: the signed-in user. Unlike the edge, it queries the database, so an ended session is rejected at
//! once.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::Timestamp;
use crate::domain::UserId;
use crate::domain::account::User;
use crate::http::openapi::fields;
use crate::service::session::SignedIn;

/// The signed-in user.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentUser)]
pub(in crate::http) struct SelfResponse {
    /// Message for people.
    message: &'static str,
    user: UserBody,
}

/// User.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(super) struct UserBody {
    #[schema(schema_with = fields::id)]
    id: UserId,
    #[schema(example = "Ada")]
    first_name: String,
    #[schema(example = "Lovelace")]
    last_name: String,
    #[schema(example = "ada@example.com")]
    email: String,
    /// Name of the role, which the gateway's rules give a meaning.
    #[schema(example = "customer")]
    role: String,
    #[schema(schema_with = fields::timestamp)]
    created_at: Timestamp,
    #[schema(schema_with = fields::timestamp)]
    updated_at: Timestamp,
}

/// Signed-in user
///
/// The database is asked, so an ended session is rejected at once. If the access token is missing or has expired, and the
/// session lives, the response is 200 all the same and sets new tokens: a front end calls this first.
#[utoipa::path(
    get,
    path = "/auth/self",
    operation_id = "getSelf",
    tag = "Accounts",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 200, description = "The user", body = SelfResponse)),
)]
pub(in crate::http) async fn show(signed_in: SignedIn) -> Json<SelfResponse> {
    Json(SelfResponse { message: "User details fetched successfully", user: signed_in.user.into() })
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            role: user.role.as_str().to_owned(),
            created_at: Timestamp(user.created_at),
            updated_at: Timestamp(user.updated_at),
        }
    }
}
