//! The user of a request, on routes for signed-in users: the one place where the companion decides it. A request
//! whose access token is missing or worth nothing any more, but whose session lives, goes on with new tokens.
//!
//! That a GET may set cookies is safe. A page of another site can bring about such a request at most where the browser
//! sends the cookies along (`SameSite`), and cannot read the response (CORS names exact origins); what it brings about is
//! that its visitor's own browser gets the visitor's own session's next tokens, which any request through the gateway
//! brings about as well. Requests that cross, or responses that are lost, are what `domain::session` is for. Calls that
//! end something are DELETE, which a browser sends for another origin only after a preflight, and `POST /auth/logout-all`;
//! for these the gateway checks where the request comes from, before it is here.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edgeward_wire::cookie::Repeated;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::error::Refusal;
use super::observe::Caller;
use super::refresh;
use super::sign_in::Tokens;
use crate::app::App;
use crate::db::users::{self, User};
use crate::domain::access_token::{AccessRefused, Bearer, Expiry};

/// Text that front ends send in a token's place when they have none: the word that their language prints for nothing, for a
/// promise that was not awaited, or for an object. None of them can be a JWT, which has two dots.
const NO_TOKEN: [&str; 8] =
    ["", "undefined", "null", "None", "nil", "false", "[object Object]", "[object Promise]"];

/// A signed-in user, in the extensions of requests that passed [`require`].
#[derive(Clone)]
pub(super) struct SignedIn {
    /// User and session.
    pub(super) bearer: Bearer,
    /// The user as the database has them.
    pub(super) user: User,
}

/// Lets signed-in users alone through, and puts a [`SignedIn`] into the request. If their session went on with new
/// tokens, the response sets both cookies, unless it has cookies of its own or is a 401: the session has ended meanwhile.
pub(super) async fn require(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (signed_in, renewed) = if let Some(signed_in) = by_access_token(&app, request.headers()).await? {
        (signed_in, None)
    } else {
        let (signed_in, tokens) = by_refresh_token(&app, &caller, request.headers()).await?;
        (signed_in, Some(tokens))
    };
    request.extensions_mut().insert(signed_in);
    let response = next.run(request).await;
    match renewed {
        Some(tokens)
            if !response.headers().contains_key(SET_COOKIE)
                && response.status() != StatusCode::UNAUTHORIZED =>
        {
            Ok((app.cookies.set(&tokens.access, &tokens.refresh), response).into_response())
        }
        _ => Ok(response),
    }
}

/// The user and session of the request's access token, if they still are signed in. `None` if a new token would help, for
/// the reasons that the edge holds a request for. A program that sends the header means that token, and is told when it is
/// refused; a browser sends its cookies unasked.
async fn by_access_token(app: &App, headers: &HeaderMap) -> Result<Option<SignedIn>, Refusal> {
    let program_token = read_program_token(headers);
    let token = match program_token {
        Some(token) => Some(token),
        None => app.cookies.read_access(headers).map_err(|Repeated| Refusal::NotSignedIn)?,
    };
    let Some(token) = token else { return Ok(None) };
    let found = match app.access_tokens.verify(token, app.now(), Expiry::Counts) {
        Ok(bearer) => find_by_connection(app, bearer).await?,
        Err(AccessRefused::Expired | AccessRefused::KeyUnknown) => None,
        Err(_) => return Err(Refusal::NotSignedIn),
    };
    if found.is_none() && program_token.is_some() { Err(Refusal::NotSignedIn) } else { Ok(found) }
}

/// The user and session of the request's refresh token, and the session's new tokens. Without a refresh token there was
/// no attempt, so nothing is written down.
async fn by_refresh_token(
    app: &Arc<App>,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<(SignedIn, Tokens), Refusal> {
    if app.cookies.read_refresh(headers) == Ok(None) {
        return Err(Refusal::NotSignedIn);
    }
    let tokens = refresh::refresh_session(app, caller, headers).await?;
    let signed_in = find_by_connection(app, tokens.bearer).await?.ok_or(Refusal::NotSignedIn)?;
    Ok((signed_in, tokens))
}

async fn find_by_connection(app: &App, bearer: Bearer) -> Result<Option<SignedIn>, Refusal> {
    let mut connection = app.pool.acquire().await?;
    let user = find(app, &mut connection, bearer, app.now()).await?;
    Ok(user.map(|user| SignedIn { bearer, user }))
}

/// The user that a token speaks of, if they still are signed in: a token that has not expired is not enough.
pub(super) async fn find(
    app: &App,
    connection: &mut PgConnection,
    bearer: Bearer,
    now: OffsetDateTime,
) -> Result<Option<User>, sqlx::Error> {
    users::find_signed_in(connection, bearer, now, app.lifetimes.too_old(now)).await
}

/// The token in `Authorization`, if a program means one. A browser's script may send the header without having a token,
/// since it cannot read our cookies; that is as good as none.
fn read_program_token(headers: &HeaderMap) -> Option<&str> {
    read_bearer(headers).filter(|token| !NO_TOKEN.contains(token))
}

/// The token in `Authorization`: RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
pub(super) fn read_bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
