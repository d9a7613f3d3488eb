//! `POST /auth/refresh`: a session goes on, with new tokens. Whether it may is decided in `domain::session`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use super::sign_in;
use crate::app::App;
use crate::db::{refresh_tokens, users};
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::session;

pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // A refusal leaves the cookies alone: another tab may just have got better ones.
    let refuse = |known: Option<RefreshClaims>, reason| {
        let known = known.map(|claims| (claims.user_id, claims.session_id));
        audit::record(Event::RefreshRefused(known, reason), &caller);
        Err(Refusal::NotSignedIn)
    };
    let Some(token) = app.cookies.read_refresh(&headers) else { return refuse(None, "token_missing") };
    let Ok(presented) = app.refresh_tokens.verify(token) else { return refuse(None, "token_invalid") };

    let now = app.now();
    let mut transaction = app.pool.begin().await?;
    let session = refresh_tokens::lock(&mut transaction, presented.session_id).await?;
    let rotation = match session::rotate(session.as_ref(), &presented, now) {
        Ok(rotation) => rotation,
        Err(reason) => return refuse(Some(presented), reason.label()),
    };
    refresh_tokens::rotate(&mut transaction, rotation, now + app.refresh_tokens.ttl(), now).await?;
    // The role of now, not the one that the session began with.
    let role = users::find_role(&mut transaction, rotation.user_id).await?;
    transaction.commit().await?;

    audit::record(Event::Refreshed(rotation.user_id, rotation.session_id), &caller);
    let named = RefreshClaims {
        user_id: rotation.user_id,
        session_id: rotation.session_id,
        generation: rotation.generation,
    };
    sign_in::answer(&app, (StatusCode::OK, "Token refreshed successfully"), named, &role, now)
}
