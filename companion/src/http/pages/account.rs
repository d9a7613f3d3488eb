//! Page of the signed-in user's account: name, address, password, second factors, sessions.

pub(super) mod email;
pub(super) mod factors;
pub(super) mod passkeys;

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, Query, State, rejection::QueryRejection};
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::form::{Form, SentForm};
use super::site::Site;
use super::view::View;
use crate::domain::account::UserChanges;
use crate::domain::account::name::Name;
use crate::domain::account::user_ref::UserRef;
use crate::domain::factor::{FactorList, passkey};
use crate::domain::session::SessionSummary;
use crate::http::error::ApiError;
use crate::http::extract::json_body::FieldErrors;
use crate::http::state::AppState;
use crate::service::account::LastAdmin;
use crate::service::session::SignedIn;
use crate::service::{Context, Error, account, factor, session};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    view: &'a View,
    signed_in: &'a SignedIn,
    names: Form,
    email: Form,
    is_email_verified: bool,
    password: Form,
    factors_form: Form,
    factors: FactorList,
    sessions_form: Form,
    hint: String,
    sessions: Vec<SessionSummary>,
    done: Option<&'static str>,
}

/// Change that was made, and that the page reports.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Name,
    Password,
    FactorAdded,
    FactorRenamed,
    FactorRemoved,
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
    Email,
    Password,
    Factors,
    Sessions,
}

/// Account page for one request.
pub(in crate::http) struct Account {
    context: Context,
    signed_in: SignedIn,
    state: AppState,
    view: View,
}

impl FromRequestParts<AppState> for Account {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self {
            context: Context::from_request_parts(parts, state).await?,
            signed_in: SignedIn::from_request_parts(parts, state).await?,
            view: View::from_request_parts(parts, state).await?,
            state: state.clone(),
        })
    }
}

impl Account {
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
        let mut names = Form::of(&[("firstName", first_name), ("lastName", last_name)]);
        let [mut email, mut password, mut factors_form, mut sessions_form] =
            [(); 4].map(|()| Form::default());
        match sent {
            Some((Section::Names, form)) => names = form,
            Some((Section::Email, form)) => email = form,
            Some((Section::Password, form)) => password = form,
            Some((Section::Factors, form)) => factors_form = form,
            Some((Section::Sessions, form)) => sessions_form = form,
            None => {}
        }
        let sessions = session::list(context, &state.tokens.lifetimes, signed_in.subject).await?;
        let is_email_verified = account::is_email_verified(context, user.id).await?;
        let factors = factor::list(context, user.id).await?;
        let hint = view.text.password_hint.replace("{min}", &state.hasher.policy.min_chars.to_string());
        let page = AccountPage {
            view,
            signed_in,
            names,
            email,
            is_email_verified,
            password,
            factors_form,
            factors,
            sessions_form,
            hint,
            sessions,
            done,
        };
        view.show(head, &page)
    }

    /// Does what a form asks for, and redirects to the page, so that a reload sends nothing again. Otherwise the page has
    /// the form as it was sent.
    async fn submit(&self, section: Section, form: SentForm) -> Result<Response, ApiError> {
        let Self { state, view, .. } = self;
        let mut form = match form.verify(view.text) {
            Ok(form) => form,
            Err(form) => return self.show(ApiError::FormForged.status(), Some((section, form)), None).await,
        };
        let applied = match section {
            Section::Names => self.rename(&form).await,
            Section::Password => self.change_password(&form).await,
            Section::Factors => self.change_factor(&form).await,
            Section::Sessions => self.end_sessions(&form).await,
            // Its forms go on with another page.
            Section::Email => Err(ApiError::NotFound),
        };
        match applied {
            Ok(done) => Ok(self.redirect_to(done)),
            Err(error) => {
                if matches!(error, ApiError::Service(Error::WrongCredentials)) {
                    form.add_mistake("currentPassword", view.text.current_password_wrong);
                }
                let head = form.reject(error, view.text, state.hasher.policy)?;
                self.show(head, Some((section, form)), None).await
            }
        }
    }

    /// Redirects to the page, which reports a change.
    fn redirect_to(&self, done: Done) -> Response {
        let query = serde_urlencoded::to_string([("done", done)]).unwrap_or_default();
        Redirect::to(&format!("{}/account?{query}", self.state.site.path)).into_response()
    }

    async fn rename(&self, form: &Form) -> Result<Done, ApiError> {
        let mut errors = FieldErrors::default();
        let first_name = errors.parse("firstName", form.field("firstName"), Name::parse);
        let last_name = errors.parse("lastName", form.field("lastName"), Name::parse);
        if first_name.is_none() || last_name.is_none() {
            return Err(errors.into_error());
        }
        let changes = UserChanges { first_name, last_name, ..UserChanges::default() };
        let user = UserRef::Id(self.signed_in.user.id);
        account::update(&self.context, &user, &changes, LastAdmin::Stays).await?;
        Ok(Done::Name)
    }

    async fn change_password(&self, form: &Form) -> Result<Done, ApiError> {
        let Self { context, signed_in, state: AppState { hasher, guard, .. }, .. } = self;
        let mut errors = FieldErrors::default();
        let current =
            errors.require("currentPassword", form.field("currentPassword")).map(SecretString::from);
        let new = errors.parse("password", form.field("password"), |typed| hasher.policy.parse(typed));
        let (Some(current), Some(new)) = (current, new) else { return Err(errors.into_error()) };
        let user = (&signed_in.user, signed_in.subject);
        account::change_password(context, hasher, guard, user, &current, new).await?;
        Ok(Done::Password)
    }

    /// Ends one session, or with the ID `others` all but this one.
    async fn end_sessions(&self, form: &Form) -> Result<Done, ApiError> {
        let (context, subject) = (&self.context, self.signed_in.subject);
        let id = form.typed("id");
        if id == "others" {
            session::end_others(context, subject).await?;
            return Ok(Done::Sessions);
        }
        let id = id.parse().map_err(|_| ApiError::NotFound)?;
        match session::end(context, subject, id).await {
            // Somebody else may have ended it meanwhile.
            Ok(()) | Err(Error::SessionUnknown) => Ok(Done::Session),
            Err(error) => Err(error.into()),
        }
    }
}

/// Redirects to the page that a signed-in user begins at.
pub(in crate::http) async fn redirect(State(site): State<Arc<Site>>) -> Redirect {
    Redirect::to(&site.home())
}

pub(in crate::http) async fn show(
    account: Account,
    query: Result<Query<AccountQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let text = account.view.text;
    let done = query.ok().and_then(|Query(query)| query.done).map(|done| match done {
        Done::Name => text.name_changed,
        Done::Password => text.password_changed,
        Done::FactorAdded => text.factors.added,
        Done::FactorRenamed => text.factors.renamed,
        Done::FactorRemoved => text.factors.removed,
        Done::Session => text.session_ended,
        Done::Sessions => text.sessions_ended,
    });
    account.show(StatusCode::OK, None, done).await
}

pub(in crate::http) async fn rename(account: Account, form: SentForm) -> Result<Response, ApiError> {
    account.submit(Section::Names, form).await
}

pub(in crate::http) async fn change_password(account: Account, form: SentForm) -> Result<Response, ApiError> {
    account.submit(Section::Password, form).await
}

pub(in crate::http) async fn end_sessions(account: Account, form: SentForm) -> Result<Response, ApiError> {
    account.submit(Section::Sessions, form).await
}
