//! `POST /auth/register`: makes an account and signs its owner in.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::audit::Event;
use super::error::Refusal;
use super::form::Form;
use super::observe::Caller;
use super::sign_in;
use crate::app::App;
use crate::db::users::{self, NewUser};
use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::password::Password;

/// What registers an account. There is no role here: nobody gives one to themselves (CVE-2026-31071).
struct Registration {
    first_name: Name,
    last_name: Name,
    email: Email,
    password: Password,
}

pub(super) async fn register(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    form: Form,
) -> Result<Response, Refusal> {
    let registration = parse(form)?;
    let password = app.passwords.hash(registration.password).await?;
    let user = NewUser {
        first_name: &registration.first_name,
        last_name: &registration.last_name,
        email: &registration.email,
        password: &password,
    };
    let mut transaction = app.pool.begin().await?;
    let (user_id, _) = users::insert(&mut transaction, &user, app.now()).await?;
    let success = (StatusCode::CREATED, "User registered successfully");
    sign_in::start(&app, transaction, user_id, (Event::Registered, &caller), success).await
}

fn parse(mut form: Form) -> Result<Registration, Refusal> {
    let first_name = form.take("firstName", Name::parse);
    let last_name = form.take("lastName", Name::parse);
    let email = form.take("email", Email::parse);
    let password = form.take("password", Password::parse);
    match (first_name, last_name, email, password) {
        (Some(first_name), Some(last_name), Some(email), Some(password)) => {
            Ok(Registration { first_name, last_name, email, password })
        }
        _ => Err(form.finish()),
    }
}
