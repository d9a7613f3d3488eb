//! `POST /auth/logout`: ends the sessions of all the tokens that come along, however old they are, and of repeated
//! cookies too: each can end its own session and no other, so no answer claims an end that was none.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use crate::app::App;
use crate::db::refresh_tokens;
use crate::domain::access_token::{Bearer, Expiry};
use crate::domain::refresh_token::RefreshClaims;

pub(super) async fn logout(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let sessions = read_sessions(&app, &headers);
    if !sessions.is_empty() {
        let mut connection = app.pool.acquire().await?;
        for bearer in sessions {
            if refresh_tokens::delete(&mut connection, bearer).await? {
                audit::record(Event::LoggedOut(bearer.user_id, bearer.session_id), &caller);
            }
        }
    }
    Ok((app.cookies.clear(), Json(json!({"message": "User logged out successfully"}))).into_response())
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
    refresh.chain(access).collect()
}
