//! `POST /auth/login`: starts a session for whoever knows the password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::SecretString;

use super::audit::{self, Event};
use super::error::Refusal;
use super::form::Form;
use super::observe::Caller;
use super::sign_in::{self, FIRST_GENERATION};
use crate::app::App;
use crate::db::{refresh_tokens, users};
use crate::domain::UserId;
use crate::domain::email::Email;
use crate::domain::hashing::Verdict;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::refresh_token::RefreshClaims;

/// What a person signs in with. The password is not held to the rules for new ones, only compared.
struct Login {
    email: Email,
    password: SecretString,
}

pub(super) async fn login(
    State(app): State<Arc<App>>,
    caller: Caller,
    form: Form,
) -> Result<Response, Refusal> {
    let Login { email, password } = parse(form)?;
    // The connection goes back before the password is compared: that takes long.
    let found = {
        let mut connection = app.pool.acquire().await?;
        users::find_credentials(&mut connection, &email).await?
    };
    let (hash, user) = found.map(|found| (found.password, (found.id, found.role, found.disabled))).unzip();
    let stored = hash.as_ref().map(|hash| PasswordHash::stored(hash.expose().to_owned()));
    let verdict = app.passwords.verify(password.clone(), stored).await?;

    let refuse = |user_id: Option<UserId>, reason, refusal| {
        audit::record(Event::LoginRefused(user_id, reason), &caller);
        Err(refusal)
    };
    let (Verdict::Match { outdated }, Some((user_id, role, disabled))) = (verdict, &user) else {
        let reason = if user.is_some() { "password_wrong" } else { "user_unknown" };
        return refuse(user.map(|(id, ..)| id), reason, Refusal::WrongCredentials);
    };
    if *disabled {
        return refuse(Some(*user_id), "user_disabled", Refusal::Disabled);
    }
    if let Some(old) = hash.filter(|_| outdated) {
        rehash(&app, *user_id, &password, &old).await;
    }
    let now = app.now();
    let session_id = {
        let mut connection = app.pool.acquire().await?;
        refresh_tokens::insert(&mut connection, *user_id, now + app.refresh_tokens.ttl(), now).await?
    };
    audit::record(Event::LoggedIn(*user_id, session_id), &caller);
    let named = RefreshClaims { user_id: *user_id, session_id, generation: FIRST_GENERATION };
    sign_in::answer(&app, (StatusCode::OK, "User logged in successfully"), named, role, now)
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

/// Hashes the password anew at today's cost. The login is good either way, so a failure is only logged.
async fn rehash(app: &App, user_id: UserId, password: &SecretString, old: &PasswordHash) {
    use secrecy::ExposeSecret;
    // A password shorter than today's rules keeps its old hash.
    let Ok(password) = Password::parse(password.expose_secret()) else { return };
    let replaced: Result<(), Refusal> = async {
        let new = app.passwords.hash(password).await?;
        let mut connection = app.pool.acquire().await?;
        Ok(users::replace_password(&mut connection, user_id, old, &new).await?)
    }
    .await;
    if let Err(cause) = replaced {
        tracing::warn!(user_id, %cause, "the password's hash keeps its old cost");
    }
}
