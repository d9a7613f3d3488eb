//! User as administrators see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::UserId;
use crate::domain::account::User;
use crate::http::api::body::Timestamp;
use crate::http::openapi::fields;

/// User as administrators see them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdministratedUser)]
pub(in crate::http) struct AdminUserBody {
    #[schema(schema_with = fields::id)]
    id: UserId,
    #[schema(example = "Ada")]
    first_name: String,
    #[schema(example = "Lovelace")]
    last_name: String,
    #[schema(example = "ada@example.com")]
    email: String,
    #[schema(example = "customer")]
    role: String,
    /// `true` if the user may not sign in.
    disabled: bool,
    /// Time from which on the user may not sign in.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    #[schema(schema_with = fields::timestamp)]
    created_at: Timestamp,
    #[schema(schema_with = fields::timestamp)]
    updated_at: Timestamp,
}

impl From<User> for AdminUserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            role: user.role.as_str().to_owned(),
            disabled: user.disabled_at.is_some(),
            disabled_at: user.disabled_at.map(Timestamp),
            created_at: Timestamp(user.created_at),
            updated_at: Timestamp(user.updated_at),
        }
    }
}
