//! Page of the signed-in user's account: name, password, sessions.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

use super::form::{Form, SentForm};
use super::site::Site;
use super::view::View;
use crate::domain::account::UserChanges;
use crate::domain::account::name::Name;
use crate::domain::account::user_ref::UserRef;
use crate::domain::session::SessionSummary;
use crate::http::error::ApiError;
use crate::http::extract::json_body::FieldErrors;
use crate::http::state::AppState;
use crate::service::account::LastAdmin;
use crate::service::session::SignedIn;
use crate::service::{Context, Error, account, session};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    view: &'a View,
    signed_in: &'a SignedIn,
    names: Form,
    password: Form,
    sessions_form: Form,
    hint: String,
    sessions: Vec<SessionSummary>,
    done: Option<&'static str>,
}

/// What the page says that was done.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Done {
    Name,
    Password,
    Session,
    Sessions,
}

/// Query of the page.
#[derive(Default, Deserialize)]
pub(in crate::http) struct AccountQuery {
    done: Option<Done>,
}

/// Form of the page.
#[derive(Clone, Copy)]
enum Section {
    Names,
    Password,
    Sessions,
}

/// What every view of the page needs.
struct Account<'a> {
    context: &'a Context,
    signed_in: &'a SignedIn,
    state: &'a AppState,
    view: &'a View,
}

impl Account<'_> {
    /// Shows the page, with the form that was sent.
    async fn show(
        &self,
        head: impl IntoResponse,
        sent: Option<(Section, Form)>,
        done: Option<&'static str>,
    ) -> Result<Response, ApiError> {
        let Self { context, signed_in, state, view } = self;
        let user = &signed_in.user;
        let (first_name, last_name) = (user.first_name.as_str(), user.last_name.as_str());
        let stored = Form::of(&[("firstName", first_name), ("lastName", last_name)]);
        let (names, password, sessions_form) = match sent {
            Some((Section::Names, form)) => (form, Form::default(), Form::default()),
            Some((Section::Password, form)) => (stored, form, Form::default()),
            Some((Section::Sessions, form)) => (stored, Form::default(), form),
            None => (stored, Form::default(), Form::default()),
        };
        let sessions = session::list(context, &state.tokens.lifetimes, signed_in.subject).await?;
        let hint = view.text.password_hint.replace("{min}", &state.hasher.policy.min_chars.to_string());
        view.show(
            head,
            &AccountPage { view, signed_in, names, password, sessions_form, hint, sessions, done },
        )
    }

    /// Shows the page with the mistakes in a form that was sent.
    async fn reject(&self, section: Section, mut form: Form, error: ApiError) -> Result<Response, ApiError> {
        let head = form.reject(error, self.view.text, self.state.hasher.policy)?;
        self.show(head, Some((section, form)), None).await
    }

    /// Shows the page with a form that is too old.
    async fn show_expired(&self, section: Section, form: Form) -> Result<Response, ApiError> {
        self.show(ApiError::FormForged.status(), Some((section, form)), None).await
    }
}

/// Redirects to the page.
pub(in crate::http) async fn redirect(State(site): State<Arc<Site>>) -> Redirect {
    Redirect::to(&format!("{}/account", site.path))
}

pub(in crate::http) async fn show(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    view: View,
    query: Result<Query<AccountQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let done = query.ok().and_then(|Query(query)| query.done).map(|done| match done {
        Done::Name => view.text.name_changed,
        Done::Password => view.text.password_changed,
        Done::Session => view.text.session_ended,
        Done::Sessions => view.text.sessions_ended,
    });
    let account = Account { context: &context, signed_in: &signed_in, state: &state, view: &view };
    account.show(StatusCode::OK, None, done).await
}

pub(in crate::http) async fn rename(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    view: View,
    form: SentForm,
) -> Result<Response, ApiError> {
    let account = Account { context: &context, signed_in: &signed_in, state: &state, view: &view };
    let form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return account.show_expired(Section::Names, form).await,
    };
    let renamed = async {
        let mut errors = FieldErrors::default();
        let first_name = errors.parse("firstName", form.field("firstName"), Name::parse);
        let last_name = errors.parse("lastName", form.field("lastName"), Name::parse);
        if first_name.is_none() || last_name.is_none() {
            return Err(errors.into_error());
        }
        let changes = UserChanges { first_name, last_name, ..UserChanges::default() };
        account::update(&context, &UserRef::Id(signed_in.user.id), &changes, LastAdmin::Stays).await?;
        Ok(())
    };
    match renamed.await {
        Ok(()) => Ok(done(&state, "name")),
        Err(error) => account.reject(Section::Names, form, error).await,
    }
}

pub(in crate::http) async fn change_password(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    view: View,
    form: SentForm,
) -> Result<Response, ApiError> {
    let account = Account { context: &context, signed_in: &signed_in, state: &state, view: &view };
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => return account.show_expired(Section::Password, form).await,
    };
    let AppState { hasher, guard, .. } = &state;
    let changed = async {
        let mut errors = FieldErrors::default();
        let current =
            errors.require("currentPassword", form.field("currentPassword")).map(SecretString::from);
        let new = errors.parse("password", form.field("password"), |typed| hasher.policy.parse(typed));
        let (Some(current), Some(new)) = (current, new) else { return Err(errors.into_error()) };
        let user = (&signed_in.user, signed_in.subject);
        Ok(account::change_password(&context, hasher, guard, user, &current, new).await?)
    };
    match changed.await {
        Ok(()) => Ok(done(&state, "password")),
        Err(error @ ApiError::Service(Error::WrongCredentials)) => {
            form.add_mistake("currentPassword", view.text.current_password_wrong);
            account.reject(Section::Password, form, error).await
        }
        Err(error) => account.reject(Section::Password, form, error).await,
    }
}

/// Ends one session, or with the ID `others` all but this one.
pub(in crate::http) async fn end_sessions(
    context: Context,
    signed_in: SignedIn,
    State(state): State<AppState>,
    view: View,
    form: SentForm,
) -> Result<Response, ApiError> {
    let form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => {
            let account = Account { context: &context, signed_in: &signed_in, state: &state, view: &view };
            return account.show_expired(Section::Sessions, form).await;
        }
    };
    let id = form.typed("id");
    if id == "others" {
        session::end_others(&context, signed_in.subject).await?;
        return Ok(done(&state, "sessions"));
    }
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    match session::end(&context, signed_in.subject, id).await {
        // Somebody else may have ended it meanwhile.
        Ok(()) | Err(Error::SessionUnknown) => Ok(done(&state, "session")),
        Err(error) => Err(error.into()),
    }
}

/// Redirects to the page, which says what was done: so that a reload sends no form again.
fn done(state: &AppState, what: &str) -> Response {
    Redirect::to(&format!("{}/account?done={what}", state.site.path)).into_response()
}
