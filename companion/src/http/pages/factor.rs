//! Page of the second step of a sign-in. The pending login is in a cookie for this page alone.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use cookie::{Cookie, SameSite};
use edgeward_wire::return_to::PARAMETER;
use time::Duration;

use super::form::{Form, SentForm};
use super::return_to::{self, EXPIRED, PageQuery};
use super::site::Site;
use super::view::View;
use crate::domain::factor::code::FactorCode;
use crate::domain::factor::ticket::Ticket;
use crate::domain::factor::{PENDING_LOGIN_LIFETIME, Way};
use crate::domain::session::device::Device;
use crate::http::api::passkey::ResponseFields;
use crate::http::cookies;
use crate::http::error::ApiError;
use crate::http::extract::json_body::FieldErrors;
use crate::http::state::AppState;
use crate::service::factor::Challenge;
use crate::service::session::{self, Completion, FactorProof, PendingLogin};
use crate::service::{Context, Error};

/// Name of the cookie with the ticket of the pending login.
const COOKIE: &str = "edgeward_pending_login";

#[derive(Template)]
#[template(path = "factor.html")]
struct FactorPage<'a> {
    view: &'a View,
    form: &'a Form,
    return_to: &'a str,
    takes_code: bool,
    passkey: Option<PasskeyForm>,
}

/// Request for a passkey, as a form has it.
struct PasskeyForm {
    token: String,
    options: String,
}

/// Redirects to the page, with the cookie of a pending login.
pub(super) fn begin(site: &Site, pending: &PendingLogin, return_to: &str) -> Response {
    let query = serde_urlencoded::to_string([(PARAMETER, return_to)]).unwrap_or_default();
    let redirect = return_to::go_to(&format!("{}/factor?{query}", site.path));
    (set_cookie(site, &pending.ticket.to_text(), PENDING_LOGIN_LIFETIME), redirect).into_response()
}

pub(in crate::http) async fn show(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let return_to = return_to::own_page(&view.site, query);
    let Some(ticket) = read_cookie(&headers) else { return Ok(expired(&view.site, &return_to)) };
    match ask(&context, &state, &ticket, &device).await {
        Ok(asked) => page(&view, &Form::default(), &return_to, asked, StatusCode::OK),
        Err(Error::PendingLoginUnknown) => Ok(expired(&view.site, &return_to)),
        Err(error) => Err(error.into()),
    }
}

pub(in crate::http) async fn submit(
    context: Context,
    device: Device,
    State(state): State<AppState>,
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
    headers: HeaderMap,
    form: SentForm,
) -> Result<Response, ApiError> {
    let AppState { guard, tokens, factors, cookies, hasher, site, .. } = &state;
    let return_to = return_to::own_page(site, query);
    let Some(ticket) = read_cookie(&headers) else { return Ok(expired(site, &return_to)) };
    let completed = async |form: &Form| {
        let device_tokens = cookies.read_every_device(&headers).map(str::to_owned).collect();
        let completion = Completion { ticket: ticket.clone(), factor: parse(form)?, device_tokens };
        Ok(session::complete_log_in(&context, guard, tokens, factors, &completion, &device).await?)
    };
    let (form, head) = match form.verify(view.text) {
        Err(form) => (form, ApiError::FormForged.status().into_response()),
        Ok(mut form) => match completed(&form).await {
            Ok(issued) => {
                let redirect = return_to::go_to(&return_to);
                return Ok((cookies.set(&issued), delete_cookie(site), redirect).into_response());
            }
            Err(ApiError::Service(Error::PendingLoginUnknown)) => return Ok(expired(site, &return_to)),
            Err(error) => {
                let head = form.reject(error, view.text, hasher.policy)?;
                (form, head)
            }
        },
    };
    match ask(&context, &state, &ticket, &device).await {
        Ok(asked) => page(&view, &form, &return_to, asked, head),
        Err(Error::PendingLoginUnknown) => Ok(expired(site, &return_to)),
        Err(error) => Err(error.into()),
    }
}

/// Parses the code of a form, or the response of a passkey.
fn parse(form: &Form) -> Result<FactorProof, ApiError> {
    if let Some(passkey) = ResponseFields::of_form(form) {
        return Ok(FactorProof::Passkey(Box::new(passkey.parse()?)));
    }
    let mut errors = FieldErrors::default();
    let code = errors.parse("code", form.field("code"), FactorCode::parse);
    code.map(FactorProof::Code).ok_or_else(|| errors.into_error())
}

/// Returns the ways to complete a pending login, and the request for a passkey if the user has one. Without a request, which
/// a limit may reject, codes do.
async fn ask(
    context: &Context,
    state: &AppState,
    ticket: &Ticket,
    device: &Device,
) -> Result<(Vec<Way>, Option<PasskeyForm>), Error> {
    let ways = session::ways_to_complete(context, &state.factors, ticket, device).await?;
    if !ways.contains(&Way::Passkey) {
        return Ok((ways, None));
    }
    match session::ask_to_complete(context, &state.guard, &state.factors, ticket, device).await {
        Ok(Challenge { ticket, options }) => {
            Ok((ways, Some(PasskeyForm { token: ticket.to_text(), options: options.to_string() })))
        }
        Err(Error::PasskeysOff | Error::TooManyAttempts { .. }) => Ok((ways, None)),
        Err(error) => Err(error),
    }
}

fn page(
    view: &View,
    form: &Form,
    return_to: &str,
    (ways, passkey): (Vec<Way>, Option<PasskeyForm>),
    head: impl IntoResponse,
) -> Result<Response, ApiError> {
    let takes_code = ways.iter().any(|way| matches!(way, Way::Totp | Way::RecoveryCode));
    view.show(head, &FactorPage { view, form, return_to, takes_code, passkey })
}

/// Redirects to the page that signs in: the pending login is over.
fn expired(site: &Site, return_to: &str) -> Response {
    (delete_cookie(site), return_to::sign_in(site, return_to, Some(EXPIRED))).into_response()
}

fn read_cookie(headers: &HeaderMap) -> Option<Ticket> {
    cookies::read_every(headers, COOKIE).find_map(|value| Ticket::parse(value).ok())
}

fn delete_cookie(site: &Site) -> AppendHeaders<[(HeaderName, HeaderValue); 1]> {
    set_cookie(site, "", Duration::ZERO)
}

fn set_cookie(site: &Site, value: &str, max_age: Duration) -> AppendHeaders<[(HeaderName, HeaderValue); 1]> {
    let cookie = Cookie::build((COOKIE, value))
        .path(format!("{}/factor", site.path))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_secure)
        .max_age(max_age);
    // Always valid: the settings restrict the path to ASCII, and the value is base64url.
    let cookie = HeaderValue::try_from(cookie.to_string());
    AppendHeaders([(SET_COOKIE, cookie.unwrap_or_else(|_| HeaderValue::from_static("")))])
}
