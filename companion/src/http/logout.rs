//! `POST /auth/logout`: ends the sessions of all the tokens that come along, however old they are, and of repeated
//! cookies too: each can end its own session and no other, so no answer claims an end that was none.
//! `POST /auth/logout-all`: ends every session of whoever is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use super::signed_in::{self, SignedIn};
use crate::app::App;
use crate::db::{refresh_tokens, revocations, users};
use crate::domain::access_token::{Bearer, Expiry};
use crate::domain::refresh_token::RefreshClaims;

pub(super) async fn logout(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let sessions = read_sessions(&app, &headers);
    if !sessions.is_empty() {
        let mut ended = Vec::new();
        let mut transaction = app.pool.begin().await?;
        let until = app.access_tokens.revoked_until(app.now());
        for bearer in sessions {
            if refresh_tokens::end(&mut transaction, bearer, until).await? {
                ended.push(bearer);
            }
        }
        transaction.commit().await?;
        for bearer in ended {
            audit::record(Event::LoggedOut(bearer.user_id, bearer.session_id), &caller);
        }
    }
    Ok(answer(&app))
}

pub(super) async fn logout_all(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(SignedIn { bearer, .. }): Extension<SignedIn>,
) -> Result<Response, Refusal> {
    let mut transaction = app.pool.begin().await?;
    users::lock(&mut transaction, bearer.user_id).await?;
    // Nobody makes a token of this user's between this moment and the commit.
    let now = app.now();
    signed_in::find(&app, &mut transaction, bearer, now).await?.ok_or(Refusal::NotSignedIn)?;
    revocations::end_user_tokens(&mut transaction, bearer.user_id, now).await?;
    refresh_tokens::delete_all(&mut transaction, bearer.user_id).await?;
    transaction.commit().await?;
    audit::record(Event::LoggedOutEverywhere(bearer.user_id, bearer.session_id), &caller);
    Ok(answer(&app))
}

fn answer(app: &App) -> Response {
    (app.cookies.clear(), Json(json!({"message": "User logged out successfully"}))).into_response()
}

/// The sessions that the cookies name. Expired tokens and former generations count as well.
fn read_sessions(app: &App, headers: &HeaderMap) -> Vec<Bearer> {
    let refresh = app.cookies.read_every_refresh(headers).filter_map(|token| {
        let RefreshClaims { user_id, session_id, issued_at, .. } = app.refresh_tokens.verify(token).ok()?;
        Some(Bearer { user_id, session_id, issued_at })
    });
    let access = app
        .cookies
        .read_every_access(headers)
        .filter_map(|token| app.access_tokens.verify(token, app.now(), Expiry::IsIgnored).ok());
    let mut sessions: Vec<_> = refresh.chain(access).collect();
    // In the same order for all: of two that end the same sessions, neither waits for the other.
    sessions.sort_by_key(|bearer| bearer.session_id);
    sessions
}
