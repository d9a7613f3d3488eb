//! `POST /auth/login`: starts a session for whoever knows the password.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};

use super::audit::{self, Event};
use super::error::Refusal;
use super::form::Form;
use super::observe::Caller;
use super::sign_in;
use crate::app::App;
use crate::db::users::{self, Credentials};
use crate::domain::UserId;
use crate::domain::email::Email;
use crate::domain::hashing::Verdict;
use crate::domain::password::{Password, PasswordHash, Presented};

/// What a person signs in with. The password is not held to the rules for new ones, only compared.
struct Login {
    email: Email,
    password: SecretString,
}

pub(super) async fn login(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    form: Form,
) -> Result<Response, Refusal> {
    let Login { email, password } = parse(form)?;
    // The connection goes back before the password is compared: that takes long.
    let found = {
        let mut connection = app.pool.acquire().await?;
        users::find_credentials(&mut connection, &email).await?
    };
    let verdict = app
        .passwords
        .verify(Presented::new(password.expose_secret()), found.as_ref().map(|user| &user.password))
        .await?;

    let refuse = |user_id: Option<UserId>, reason, refusal| {
        audit::record(Event::LoginRefused(user_id, reason), &caller);
        Err(refusal)
    };
    let Some(Credentials { id: user_id, password: hash, disabled }) = found else {
        return refuse(None, "user_unknown", Refusal::WrongCredentials);
    };
    let Verdict::Match { outdated } = verdict else {
        return refuse(Some(user_id), "password_wrong", Refusal::WrongCredentials);
    };
    if disabled {
        return refuse(Some(user_id), "user_disabled", Refusal::Disabled);
    }
    let mut transaction = app.pool.begin().await?;
    // Comparing took long: whoever changed the password meanwhile has ended all sessions, and this would be one more.
    if users::has_other_password(&mut transaction, user_id, &hash).await? {
        return refuse(Some(user_id), "password_changed", Refusal::PasswordChanged);
    }
    let success = (StatusCode::OK, "User logged in successfully");
    let answer = sign_in::start(&app, transaction, user_id, (Event::LoggedIn, &caller), success).await?;
    if outdated {
        rehash(&app, user_id, &password, &hash).await;
    }
    Ok(answer)
}

fn parse(mut form: Form) -> Result<Login, Refusal> {
    let email = form.take("email", Email::parse);
    let password = form.take("password", |typed| match typed {
        "" => Err("password is required"),
        typed => Ok(SecretString::from(typed)),
    });
    match (email, password) {
        (Some(email), Some(password)) => Ok(Login { email, password }),
        _ => Err(form.finish()),
    }
}

/// Hashes the password anew, as it would be hashed today. The login is good either way, so a failure is only logged.
async fn rehash(app: &App, user_id: UserId, password: &SecretString, old: &PasswordHash) {
    // A password shorter than today's rules keeps its old hash.
    let Ok(password) = Password::parse(password.expose_secret()) else { return };
    let replaced: Result<(), Refusal> = async {
        let new = app.passwords.hash(password).await?;
        let mut connection = app.pool.acquire().await?;
        Ok(users::replace_password(&mut connection, user_id, old, &new).await?)
    }
    .await;
    if let Err(cause) = replaced {
        tracing::warn!(user_id, %cause, "the password keeps its old hash");
    }
}
