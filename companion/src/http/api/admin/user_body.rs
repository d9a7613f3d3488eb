//! User as administrators see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::User;
use crate::http::api::body::Timestamp;
use crate::http::api::current_user::UserBody;

/// User as administrators see them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdminUser)]
pub(in crate::http) struct AdminUserBody {
    #[serde(flatten)]
    user: UserBody,
    /// `true` if the user may not sign in.
    disabled: bool,
    /// Time from which on the user may not sign in.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
}

impl From<User> for AdminUserBody {
    fn from(user: User) -> Self {
        Self {
            disabled: user.disabled_at.is_some(),
            disabled_at: user.disabled_at.map(Timestamp),
            user: user.into(),
        }
    }
}
