//! `GET /auth/self`: who is signed in. Unlike the edge it asks the database, so an ended session is refused at once.

use axum::{Extension, Json};
use serde::Serialize;

use super::signed_in::SignedIn;
use super::time_format;
use crate::db::users::User;
use crate::domain::UserId;

#[derive(Serialize)]
pub(super) struct Body {
    message: &'static str,
    user: Shown,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: UserId,
    first_name: String,
    last_name: String,
    email: String,
    role: String,
    created_at: String,
    updated_at: String,
}

pub(super) async fn show(Extension(SignedIn { user, .. }): Extension<SignedIn>) -> Json<Body> {
    Json(Body { message: "User details fetched successfully", user: user.into() })
}

impl From<User> for Shown {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            role: user.role,
            created_at: time_format::write(user.created_at),
            updated_at: time_format::write(user.updated_at),
        }
    }
}
