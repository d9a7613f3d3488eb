//! `GET /auth/self`: the signed-in user. Unlike the edge, it queries the database, so an ended session is rejected at
//! once.

use axum::Json;
use serde::Serialize;

use super::body::Timestamp;
use crate::domain::UserId;
use crate::domain::account::User;
use crate::service::session::SignedIn;

/// Response body.
#[derive(Serialize)]
pub(in crate::http) struct SelfResponse {
    message: &'static str,
    user: UserBody,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserBody {
    id: UserId,
    first_name: String,
    last_name: String,
    email: String,
    role: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

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
