//! `GET /auth/self`: who is signed in. Unlike the edge it asks the database, so an ended session is refused at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

use super::error::Refusal;
use super::{signed_in, time_format};
use crate::app::App;
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

pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Body>, Refusal> {
    let bearer = signed_in::read(&app, &headers)?;
    let mut connection = app.pool.acquire().await?;
    let user = signed_in::find(&app, &mut connection, bearer, app.now()).await?;
    Ok(Json(Body { message: "User details fetched successfully", user: user.into() }))
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
