//! Page that signs in.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::factor;
use super::form::{Form, SentForm};
use super::return_to::{self, PageQuery};
use super::view::View;
use crate::domain::session::device::Device;
use crate::http::api::login::LoginRequest;
use crate::http::api::passkey::ResponseFields;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::session::{self, SignIn};
use crate::service::{Context, Error};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    view: &'a View,
    form: &'a Form,
    return_to: &'a str,
    has_registered: bool,
    /// ID of a passkey that was used, and that nobody has: the browser forgets it.
    unknown_passkey: Option<String>,
}

pub(in crate::http) async fn show(
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let has_registered = return_to::has_registered(&query);
    let notice = return_to::has_expired(&query).then(|| view.text.error("login_expired").to_owned());
    let mut form = Form::default();
    form.notice = notice;
    let return_to = return_to::own_page(&view.site, query);
    let unknown_passkey = None;
    let page =
        SignInPage { view: &view, form: &form, return_to: &return_to, has_registered, unknown_passkey };
    view.show(StatusCode::OK, &page)
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
    let return_to = return_to::own_page(&view.site, query);
    let show = |form: &Form, head: Response, unknown_passkey: Option<String>| {
        let (view, return_to, has_registered) = (&view, return_to.as_str(), false);
        view.show(head, &SignInPage { view, form, return_to, has_registered, unknown_passkey })
    };
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return show(&form, ApiError::FormForged.status().into_response(), None),
    };
    let AppState { hasher, guard, tokens, factors, cookies, site, .. } = &state;
    let devices: Vec<String> = cookies.read_every_device(&headers).map(str::to_owned).collect();
    let passkey = ResponseFields::of_form(&form);
    let passkey_id =
        passkey.as_ref().and_then(|passkey| passkey.credential.get("id")?.as_str()).map(str::to_owned);
    let signed_in = async {
        if let Some(passkey) = passkey {
            let login = (&passkey.parse()?, devices.as_slice());
            let issued = session::log_in_with_passkey(&context, guard, tokens, factors, login, &device);
            return Ok(SignIn::Started(issued.await?));
        }
        let request = LoginRequest { email: form.field("email"), password: form.field("password") };
        let credentials = request.parse(devices)?;
        Ok(session::log_in(&context, hasher, guard, tokens, factors, &credentials, &device).await?)
    };
    match signed_in.await {
        Ok(SignIn::Pending(pending)) => Ok(factor::begin(site, &pending, &return_to)),
        Ok(SignIn::Started(tokens)) => {
            Ok((cookies.set(&tokens), return_to::go_to(&return_to)).into_response())
        }
        Err(error) => {
            let is_unknown = matches!(error, ApiError::Service(Error::PasskeyUnknown));
            let head = form.reject(error, view.text, hasher.policy)?;
            show(&form, head, passkey_id.filter(|_| is_unknown))
        }
    }
}
