//! Page that registers.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::form::{Form, SentForm};
use super::return_to::{self, PageQuery};
use super::view::View;
use crate::domain::session::device::Device;
use crate::http::api::register::RegisterRequest;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::Context;
use crate::service::account::{self, Registration};

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage<'a> {
    view: &'a View,
    form: &'a Form,
    return_to: &'a str,
    hint: String,
}

impl<'a> RegisterPage<'a> {
    fn new(view: &'a View, form: &'a Form, return_to: &'a str, state: &AppState) -> Self {
        let min_chars = state.hasher.policy.min_chars.to_string();
        Self { view, form, return_to, hint: view.text.password_hint.replace("{min}", &min_chars) }
    }
}

pub(in crate::http) async fn show(
    State(state): State<AppState>,
    view: View,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (form, return_to) = (Form::default(), return_to::own_page(&state.site, query));
    view.show(StatusCode::OK, &RegisterPage::new(&view, &form, &return_to, &state))
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
    let return_to = return_to::own_page(&state.site, query);
    let show =
        |form: &Form, head: Response| view.show(head, &RegisterPage::new(&view, form, &return_to, &state));
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return show(&form, ApiError::FormForged.status().into_response()),
    };
    let AppState { hasher, guard, tokens, cookies, http, .. } = &state;
    let request = RegisterRequest {
        first_name: form.field("firstName"),
        last_name: form.field("lastName"),
        email: form.field("email"),
        password: form.field("password"),
    };
    let registered = async {
        let (user, password) = request.parse(hasher.policy)?;
        let device_tokens = cookies.read_every_device(&headers).map(str::to_owned).collect();
        let registration = Registration { user, password, device_tokens };
        if http.registration_hides_emails {
            account::register_discreetly(&context, hasher, guard, registration).await?;
            return Ok::<_, ApiError>(None);
        }
        Ok(Some(account::register(&context, hasher, guard, tokens, registration, &device).await?))
    };
    match registered.await {
        Ok(Some(tokens)) => Ok((cookies.set(&tokens), return_to::go_to(&return_to)).into_response()),
        // A site with a sign-in page of its own asks there.
        Ok(None) if !state.site.served.sign_in => Ok(return_to::go_to(&return_to).into_response()),
        Ok(None) => Ok(return_to::sign_in(&state.site, &return_to, true).into_response()),
        Err(error) => {
            let head = form.reject(error, view.text, hasher.policy)?;
            show(&form, head)
        }
    }
}
