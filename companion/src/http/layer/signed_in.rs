//! The user of a request, on routes for signed-in users. A request whose access token is missing or outdated, but whose
//! session lives, goes on with new tokens.
//!
//! That a GET may set cookies is safe. A page of another site can bring about such a request at most where the browser
//! sends the cookies along (`SameSite`), and cannot read the response (CORS names exact origins); what it brings about is
//! that its visitor's own browser gets the visitor's own session's next tokens, which any request through the gateway
//! brings about as well. Requests that cross, or responses that are lost, are what `domain::session` is for. Calls that
//! end something are DELETE, which a browser sends for another origin only after a preflight, and `POST /auth/logout-all`;
//! for these the gateway checks where the request comes from, before it is here.

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edgeward_wire::cookie::Repeated;

use crate::domain::caller::Caller;
use crate::http::error::ApiError;
use crate::http::extract::bearer_token;
use crate::http::state::AppState;
use crate::service::session::{self, SignedIn};
use crate::service::{Context, Error, TokenPair};

/// Text that front ends send in a token's place when they have none: the word that their language prints for nothing, for a
/// promise that was not awaited, or for an object. None of them can be a JWT, which has two dots.
const NO_TOKEN: [&str; 8] =
    ["", "undefined", "null", "None", "nil", "false", "[object Object]", "[object Promise]"];

/// Passes requests of signed-in users alone, with a [`SignedIn`] in the extensions. If their session got new tokens, the
/// response sets both cookies, unless it has cookies of its own or is a 401: the session has ended meanwhile.
pub(in crate::http) async fn require(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(caller) = request.extensions().get::<Caller>().cloned() else {
        return Err(ApiError::NotObserved);
    };
    let context = state.context(caller);
    let headers = request.headers();
    let (signed_in, renewed) = match by_access_token(&state, &context, headers).await? {
        Some(signed_in) => (signed_in, None),
        None => {
            let (signed_in, tokens) = by_refresh_token(&state, &context, headers).await?;
            (signed_in, Some(tokens))
        }
    };
    request.extensions_mut().insert(context.caller.as_user());
    request.extensions_mut().insert(signed_in);
    let response = next.run(request).await;
    match renewed {
        Some(tokens)
            if !response.headers().contains_key(SET_COOKIE)
                && response.status() != StatusCode::UNAUTHORIZED =>
        {
            Ok((state.cookies.set(&tokens), response).into_response())
        }
        _ => Ok(response),
    }
}

/// The user and session of the request's access token. `None` if a new token would help. A program that sends the header
/// means that token, and is told when it is rejected; a browser sends its cookies unasked.
async fn by_access_token(
    state: &AppState,
    context: &Context,
    headers: &HeaderMap,
) -> Result<Option<SignedIn>, Error> {
    let program_token = program_token(headers);
    let token = match program_token {
        Some(token) => Some(token),
        None => state.cookies.read_access(headers).map_err(|Repeated| Error::NotSignedIn)?,
    };
    let Some(token) = token else { return Ok(None) };
    let found = session::authenticate(context, &state.tokens, token).await?;
    if found.is_none() && program_token.is_some() { Err(Error::NotSignedIn) } else { Ok(found) }
}

/// The user and session of the request's refresh token, and the session's new tokens. Without a refresh token there was
/// no attempt, so nothing is logged.
async fn by_refresh_token(
    state: &AppState,
    context: &Context,
    headers: &HeaderMap,
) -> Result<(SignedIn, TokenPair), Error> {
    let cookie = state.cookies.read_refresh(headers);
    if cookie == Ok(None) {
        return Err(Error::NotSignedIn);
    }
    let tokens = session::refresh(context, &state.tokens, cookie).await?;
    let signed_in = session::find_signed_in(context, &state.tokens, tokens.subject).await?;
    Ok((signed_in.ok_or(Error::NotSignedIn)?, tokens))
}

/// The token in `Authorization`, if a program means one. A browser's script may send the header without having a token,
/// since it cannot read our cookies; that is as good as none.
fn program_token(headers: &HeaderMap) -> Option<&str> {
    bearer_token(headers).filter(|token| !NO_TOKEN.contains(token))
}
