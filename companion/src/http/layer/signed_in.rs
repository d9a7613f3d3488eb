//! Authentication of requests, on routes for signed-in users. If the access token is missing or outdated, and the
//! session lives, the request continues and its response sets new tokens.
//!
//! A GET may therefore set cookies. That is safe. A page of another site can cause such a request only if the browser
//! sends the cookies along (`SameSite`), and it cannot read the response (CORS allows exact origins). It causes no more
//! than any request through the gateway: the visitor's browser receives the next tokens of the visitor's session.
//! `domain::session` covers concurrent requests and lost responses. Requests that end sessions are DELETE, which
//! browsers send to another origin only after a preflight, `POST /auth/logout-all`, for which the gateway checks
//! the origin, and forms of our pages, which carry a form token.

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::domain::caller::Caller;
use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::http::extract::bearer_token;
use crate::http::state::AppState;
use crate::service::session::{self, RequestTokens};

/// Texts that front ends send in place of a missing token: their language's word for nothing, for a promise that was
/// not awaited, or for an object. None of them is a JWT, which has two dots.
const NO_TOKEN: [&str; 8] =
    ["", "undefined", "null", "None", "nil", "false", "[object Object]", "[object Promise]"];

/// Passes requests of signed-in users, with a `SignedIn` in the extensions, and rejects all others. The response sets
/// renewed tokens.
pub(in crate::http) async fn require(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = request.extensions().get::<Caller>().cloned().ok_or(ApiError::MissingLayer)?;
    let context = state.context(caller);
    let presented = RequestTokens {
        bearer: program_token(request.headers()),
        access: state.cookies.read_access(request.headers()),
        refresh: state.cookies.read_refresh(request.headers()),
    };
    let (signed_in, renewed) =
        session::authenticate(&context, &state.guard, &state.tokens, presented).await?;
    request.extensions_mut().insert(context.caller.as_user());
    request.extensions_mut().insert(signed_in);
    let response = next.run(request).await;
    Ok(match renewed {
        Some(tokens) if accepts_tokens(&response, &state.cookies) => {
            (state.cookies.set(&tokens), response).into_response()
        }
        _ => response,
    })
}

/// Returns `true` if renewed tokens may be added to a response: it sets or clears no tokens itself, and is not a 401, after
/// which the session has ended.
fn accepts_tokens(response: &Response, cookies: &CookiePolicy) -> bool {
    let is_of_tokens = |field: &HeaderValue| {
        let sets = |name: &str| {
            field.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
        };
        sets(cookies.access_name()) || sets(cookies.refresh_name())
    };
    response.status() != StatusCode::UNAUTHORIZED
        && !response.headers().get_all(SET_COOKIE).iter().any(is_of_tokens)
}

/// Returns the token in `Authorization`, unless it is one of [`NO_TOKEN`]: scripts of browsers cannot read our cookies,
/// and may send the header field without a token.
fn program_token(headers: &HeaderMap) -> Option<&str> {
    bearer_token(headers).filter(|token| !NO_TOKEN.contains(token))
}
