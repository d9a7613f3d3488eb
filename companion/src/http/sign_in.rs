//! What signs someone in: a session's start, and the answer with both tokens in both cookies. Who may is decided
//! before.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sqlx::{Postgres, Transaction};

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use crate::app::App;
use crate::db::refresh_tokens;
use crate::domain::access_token::Bearer;
use crate::domain::jws::SigningFailed;
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::role::Role;
use crate::domain::{SessionId, UserId};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    message: &'static str,
    user_id: UserId,
}

/// Starts a session in the transaction, which is thereby done, writes it down as `event` and answers. Of a user who
/// was disabled in the meantime it is refused.
pub(super) async fn start(
    app: &App,
    mut transaction: Transaction<'_, Postgres>,
    user_id: UserId,
    (event, caller): (fn(UserId, SessionId) -> Event, &Caller),
    success: (StatusCode, &'static str),
) -> Result<Response, Refusal> {
    let now = app.now();
    let expires_at = app.lifetimes.end(now, now);
    let started =
        refresh_tokens::insert(&mut transaction, user_id, &caller.device(), expires_at, now).await?;
    let Some((said, role)) = started else {
        audit::record(Event::LoginRefused(Some(user_id), "user_disabled"), caller);
        return Err(Refusal::Disabled);
    };
    transaction.commit().await?;
    audit::record(event(user_id, said.session_id), caller);
    Ok(answer(app, success, &Tokens::sign(app, said, &role)?))
}

/// Both tokens of a session.
pub(super) struct Tokens {
    /// User and session that both speak of.
    pub(super) bearer: Bearer,
    /// The access token.
    pub(super) access: String,
    /// The refresh token.
    pub(super) refresh: String,
}

impl Tokens {
    /// The refresh token says `said`, and the access token is dated alike.
    pub(super) fn sign(app: &App, said: RefreshClaims, role: &Role) -> Result<Self, SigningFailed> {
        let RefreshClaims { user_id, session_id, issued_at, .. } = said;
        Ok(Self {
            bearer: Bearer { user_id, session_id, issued_at },
            access: app.access_tokens.sign(user_id, session_id, role, issued_at)?,
            refresh: app.refresh_tokens.sign(said)?,
        })
    }
}

/// Answers with both tokens in both cookies.
pub(super) fn answer(app: &App, (status, message): (StatusCode, &'static str), tokens: &Tokens) -> Response {
    let body = Json(Body { message, user_id: tokens.bearer.user_id });
    (status, app.cookies.set(&tokens.access, &tokens.refresh), body).into_response()
}
