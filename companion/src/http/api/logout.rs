//! `POST /auth/logout`: ends the sessions of all tokens in the request, those in repeated cookies included.
//! `POST /auth/logout-all`: ends every session of the signed-in user.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;

use super::body::Done;
use crate::http::cookies::{CookiePolicy, SetCookies};
use crate::http::error::ApiError;
use crate::service::Context;
use crate::service::Tokens;
use crate::service::session::SignedIn;
use crate::service::session::{self, PresentedTokens};

const MESSAGE: &str = "User logged out successfully";

/// Sign out
///
/// Ends the sessions of the tokens in the request, and clears both cookies. It may be repeated, and needs no valid token.
#[utoipa::path(
    post,
    path = "/auth/logout",
    operation_id = "logOut",
    tag = "Sessions",
    security((), ("accessToken" = []), ("refreshToken" = [])),
    responses((status = 200, description = "Signed out", body = Done, headers(
        ("set-cookie" = String, description = "Both cookies with `Max-Age=0`, in two fields."),
    ))),
    extensions(("x-error-codes" = json!(["database_unavailable"]))),
)]
pub(in crate::http) async fn logout(
    context: Context,
    State(tokens): State<Arc<Tokens>>,
    State(cookies): State<Arc<CookiePolicy>>,
    headers: HeaderMap,
) -> Result<(SetCookies, Json<Done>), ApiError> {
    let presented = PresentedTokens {
        access: cookies.read_every_access(&headers).collect(),
        refresh: cookies.read_every_refresh(&headers).collect(),
    };
    session::log_out(&context, &tokens, &presented).await?;
    Ok((cookies.clear(), Done::new(MESSAGE)))
}

/// Sign out everywhere
///
/// Ends every session of the user, and clears both cookies.
#[utoipa::path(
    post,
    path = "/auth/logout-all",
    operation_id = "logOutEverywhere",
    tag = "Sessions",
    security(("accessToken" = []), ("refreshToken" = []), ("bearer" = [])),
    responses((status = 200, description = "Signed out everywhere", body = Done, headers(
        ("set-cookie" = String, description = "Both cookies with `Max-Age=0`, in two fields."),
    ))),
    extensions(("x-error-codes" = json!(["insufficient_user_authentication"]))),
)]
pub(in crate::http) async fn logout_all(
    context: Context,
    signed_in: SignedIn,
    State(tokens): State<Arc<Tokens>>,
    State(cookies): State<Arc<CookiePolicy>>,
) -> Result<(SetCookies, Json<Done>), ApiError> {
    session::log_out_everywhere(&context, &tokens, signed_in.subject).await?;
    Ok((cookies.clear(), Done::new(MESSAGE)))
}
