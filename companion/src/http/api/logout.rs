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

pub(in crate::http) async fn logout_all(
    context: Context,
    signed_in: SignedIn,
    State(tokens): State<Arc<Tokens>>,
    State(cookies): State<Arc<CookiePolicy>>,
) -> Result<(SetCookies, Json<Done>), ApiError> {
    session::log_out_everywhere(&context, &tokens, signed_in.subject).await?;
    Ok((cookies.clear(), Done::new(MESSAGE)))
}
