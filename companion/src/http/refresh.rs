//! `POST /auth/refresh`: a session goes on, with new tokens. Whether it may is decided in `domain::session`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use edgeward_wire::cookie::Repeated;

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use super::sign_in;
use crate::app::App;
use crate::db::refresh_tokens;
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::session;

pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // A refusal leaves the cookies alone: another tab may just have got better ones.
    let refuse = |known: Option<RefreshClaims>, reason| {
        let known = known.map(|claims| (claims.user_id, claims.session_id));
        audit::record(Event::RefreshRefused(known, reason), &caller);
        Err(Refusal::NotSignedIn)
    };
    let token = match app.cookies.read_refresh(&headers) {
        Ok(Some(token)) => token,
        Ok(None) => return refuse(None, "token_missing"),
        Err(Repeated) => return refuse(None, "token_repeated"),
    };
    let Ok(presented) = app.refresh_tokens.verify(token) else { return refuse(None, "token_invalid") };

    let now = app.now();
    let mut transaction = app.pool.begin().await?;
    let session = refresh_tokens::lock(&mut transaction, presented.session_id).await?;
    // The role of now, not the one that the session began with.
    let (next, role) = match session::rotate(session, presented, now) {
        Ok(decided) => decided,
        Err(reason) => return refuse(Some(presented), reason.label()),
    };
    refresh_tokens::rotate(&mut transaction, next, now + app.refresh_tokens.ttl(), now).await?;
    transaction.commit().await?;

    audit::record(Event::Refreshed(next.user_id, next.session_id), &caller);
    sign_in::answer(&app, (StatusCode::OK, "Token refreshed successfully"), next, &role)
}
