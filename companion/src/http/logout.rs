//! `POST /auth/logout`: ends the session of either token, however old the token is. It always succeeds.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use crate::app::App;
use crate::db::refresh_tokens;
use crate::domain::access_token::Expiry;
use crate::domain::{SessionId, UserId};

pub(super) async fn logout(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let sessions = read_sessions(&app, &headers);
    if !sessions.is_empty() {
        let mut connection = app.pool.acquire().await?;
        for (user_id, session_id) in sessions {
            if refresh_tokens::delete(&mut connection, user_id, session_id).await? {
                audit::record(Event::LoggedOut(user_id, session_id), &caller);
            }
        }
    }
    Ok((app.cookies.clear(), Json(json!({"message": "User logged out successfully"}))).into_response())
}

/// The sessions that the cookies name, each once. Expired tokens and former generations count as well: all they
/// can do here is to end their own session.
fn read_sessions(app: &App, headers: &HeaderMap) -> Vec<(UserId, SessionId)> {
    let refresh = app.cookies.read_refresh(headers).and_then(|token| app.refresh_tokens.verify(token).ok());
    let access = app
        .cookies
        .read_access(headers)
        .and_then(|token| app.access_tokens.verify(token, app.now(), Expiry::IsIgnored).ok());
    let mut sessions: Vec<_> =
        refresh.map(|claims| (claims.user_id, claims.session_id)).into_iter().collect();
    sessions.extend(access.map(|bearer| (bearer.user_id, bearer.session_id)));
    sessions.dedup();
    sessions
}
