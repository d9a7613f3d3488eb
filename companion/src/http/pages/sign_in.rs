//! Page that signs in.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::form::{Form, SentForm};
use super::return_to::{self, PageQuery};
use super::view::View;
use crate::domain::session::device::Device;
use crate::http::api::login::LoginRequest;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::{Context, session};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    view: &'a View,
    form: &'a Form,
    return_to: &'a str,
    has_registered: bool,
}

pub(in crate::http) async fn show(
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let has_registered = return_to::has_registered(&query);
    let return_to = return_to::own_page(&view.site, query);
    let page = SignInPage { view: &view, form: &Form::default(), return_to: &return_to, has_registered };
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
    let show = |form: &Form, head: Response| {
        view.show(head, &SignInPage { view: &view, form, return_to: &return_to, has_registered: false })
    };
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return show(&form, ApiError::FormForged.status().into_response()),
    };
    let AppState { hasher, guard, tokens, cookies, .. } = &state;
    let request = LoginRequest { email: form.field("email"), password: form.field("password") };
    let devices = cookies.read_every_device(&headers).map(str::to_owned).collect();
    let signed_in = async {
        let credentials = request.parse(devices)?;
        Ok(session::log_in(&context, hasher, guard, tokens, &credentials, &device).await?)
    };
    match signed_in.await {
        Ok(tokens) => Ok((cookies.set(&tokens), return_to::go_to(&return_to)).into_response()),
        Err(error) => {
            let head = form.reject(error, view.text, hasher.policy)?;
            show(&form, head)
        }
    }
}
