//! `POST /auth/refresh`: a session goes on, with new tokens. `POST /internal/edge-refresh`: the same for a request
//! that the filter holds. On routes for signed-in users `signed_in` does the same. Whether it may is decided in `domain::session`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use edgeward_wire::EdgeRefresh;
use edgeward_wire::cookie::Repeated;

use super::audit::{self, Event};
use super::error::Refusal;
use super::observe::Caller;
use super::sign_in::{self, Tokens};
use crate::app::App;
use crate::db::refresh_tokens;
use crate::domain::access_token::Bearer;
use crate::domain::refresh_token::RefreshClaims;
use crate::domain::session::{RefreshRefused, Step};

/// For a browser.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let tokens = refresh_session(&app, &caller, &headers).await?;
    Ok(sign_in::answer(&app, (StatusCode::OK, "Token refreshed successfully"), &tokens))
}

/// For the filter.
pub(super) async fn edge_refresh(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Json<EdgeRefresh>, Refusal> {
    let Tokens { access, refresh, .. } = refresh_session(&app, &caller, &headers).await?;
    let set_cookies = app.cookies.set(&access, &refresh).into_values();
    Ok(Json(EdgeRefresh { access_token: access, set_cookies }))
}

/// The new tokens of the session whose refresh token the cookies hold. A refusal leaves the cookies alone: another
/// tab may just have got better ones.
pub(super) async fn refresh_session(
    app: &Arc<App>,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Tokens, Refusal> {
    let refuse = |reason| {
        audit::record(Event::RefreshRefused(None, reason), caller);
        Err(Refusal::NotSignedIn)
    };
    let token = match app.cookies.read_refresh(headers) {
        Ok(Some(token)) => token,
        Ok(None) => return refuse("token_missing"),
        Err(Repeated) => return refuse("token_repeated"),
    };
    let Ok(presented) = app.refresh_tokens.verify(token) else { return refuse("token_invalid") };
    match present(app, presented).await? {
        Ok(tokens) => {
            audit::record(Event::Refreshed(presented.user_id, presented.session_id), caller);
            Ok(tokens)
        }
        Err(reason) => {
            if reason == RefreshRefused::TokenReused {
                // A task of its own: whoever has found it out by accident may hang up.
                tokio::spawn(end(Arc::clone(app), presented, caller.clone())).await??;
            }
            let known = Some((presented.user_id, presented.session_id));
            audit::record(Event::RefreshRefused(known, reason.label()), caller);
            Err(Refusal::NotSignedIn)
        }
    }
}

/// Presents a token to its session. All that is written is written by one statement: whoever does not get to hear of
/// it comes again with the same token and is given the same answer.
async fn present(app: &App, presented: RefreshClaims) -> Result<Result<Tokens, RefreshRefused>, Refusal> {
    let mut connection = app.pool.acquire().await?;
    // After the wait for a connection: by then others may have gone on.
    let now = app.now();
    let found = refresh_tokens::go_on(&mut connection, presented, &app.lifetimes, now).await?;
    drop(connection);
    let Some(refresh_tokens::Found { session, written }) = found else {
        return Ok(Err(RefreshRefused::SessionUnknown));
    };
    let decided = session.judge(presented, &app.lifetimes, now);
    if written != decided.ok().filter(|step| *step != Step::Repeat) {
        return Err(Refusal::SessionInDoubt);
    }
    match decided {
        Ok(step) => {
            let session = session.after(step, presented.generation, &app.lifetimes, now);
            // The role of now, not the one that the session began with.
            Ok(Ok(Tokens::sign(app, session.live_token(presented.session_id), &session.role)?))
        }
        Err(reason) => Ok(Err(reason)),
    }
}

/// Ends a session of which two hold tokens, for both of them and at the edge.
async fn end(app: Arc<App>, presented: RefreshClaims, caller: Caller) -> Result<(), Refusal> {
    let RefreshClaims { user_id, session_id, issued_at, .. } = presented;
    let mut connection = app.pool.acquire().await?;
    let until = app.access_tokens.revoked_until(app.now());
    if refresh_tokens::end(&mut connection, Bearer { user_id, session_id, issued_at }, until).await? {
        audit::record(Event::RefreshTokenReused(user_id, session_id), &caller);
    }
    Ok(())
}
