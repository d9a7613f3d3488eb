//! One user: role, sign-in, second factors, sessions, and the last entries of the audit log.

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::domain::UserId;
use crate::domain::account::role::Role;
use crate::domain::account::user_ref::UserRef;
use crate::domain::account::{User, UserChanges};
use crate::domain::audit::list::{AuditFilter, ListedEntry};
use crate::domain::factor::FactorList;
use crate::domain::page::PageSize;
use crate::domain::session::SessionSummary;
use crate::http::error::ApiError;
use crate::http::extract::json_body::FieldErrors;
use crate::http::pages::form::{Form, SentForm};
use crate::http::pages::view::View;
use crate::http::state::AppState;
use crate::service::account::LastAdmin;
use crate::service::{Context, account, audit_log, factor, session};

#[derive(Template)]
#[template(path = "admin/user.html")]
struct UserPage<'a> {
    view: &'a View,
    user: User,
    factors: FactorList,
    sessions: Vec<SessionSummary>,
    entries: Vec<ListedEntry>,
    form: Form,
    /// `true` if a change was just made.
    done: bool,
}

/// Query of the page.
#[derive(Default, Deserialize)]
pub(in crate::http) struct UserQuery {
    done: Option<String>,
}

pub(in crate::http) async fn show(
    context: Context,
    State(state): State<AppState>,
    view: View,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<UserQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let done = query.is_ok_and(|Query(query)| query.done.is_some());
    page(&context, &state, &view, user_id(id)?, StatusCode::OK, Form::default(), done).await
}

fn user_id(id: Result<Path<String>, PathRejection>) -> Result<UserId, ApiError> {
    id.ok().and_then(|Path(id)| id.parse().ok()).ok_or(ApiError::NotFound)
}

async fn page(
    context: &Context,
    state: &AppState,
    view: &View,
    id: UserId,
    head: impl IntoResponse,
    form: Form,
    done: bool,
) -> Result<Response, ApiError> {
    let max_age = state.tokens.lifetimes.absolute;
    let (user, sessions) = session::list_of(context, &UserRef::Id(id), max_age).await?;
    let factors = factor::list(context, id).await?;
    let filter = AuditFilter { user_id: Some(id), ..AuditFilter::default() };
    let entries = audit_log::list(context, &filter, None, PageSize::default()).await?.items;
    view.show(head, &UserPage { view, user, factors, sessions, entries, form, done })
}

/// Makes the change of a form: `role`, `disabled`, `sessions`, or `factors`.
pub(in crate::http) async fn change(
    context: Context,
    State(state): State<AppState>,
    view: View,
    id: Result<Path<String>, PathRejection>,
    form: SentForm,
) -> Result<Response, ApiError> {
    let id = user_id(id)?;
    let mut form = match form.verify(view.text) {
        Ok(form) => form,
        Err(form) => {
            return page(&context, &state, &view, id, ApiError::FormForged.status(), form, false).await;
        }
    };
    match apply(&context, id, &form).await {
        Ok(()) => Ok(Redirect::to(&format!("{}/admin/users/{id}?done", state.site.path)).into_response()),
        Err(error) => {
            let head = form.reject(error, view.text, state.hasher.policy)?;
            page(&context, &state, &view, id, head, form, false).await
        }
    }
}

async fn apply(context: &Context, id: UserId, form: &Form) -> Result<(), ApiError> {
    let user = UserRef::Id(id);
    let changes = match form.typed("change") {
        "role" => {
            let mut errors = FieldErrors::default();
            let role = errors.parse("role", form.field("role"), Role::parse);
            UserChanges { role: Some(role.ok_or_else(|| errors.into_error())?), ..UserChanges::default() }
        }
        "disable" => UserChanges { disabled: Some(true), ..UserChanges::default() },
        "enable" => UserChanges { disabled: Some(false), ..UserChanges::default() },
        "sessions" => {
            session::end_of(context, &user, None).await?;
            return Ok(());
        }
        "factors" => {
            factor::reset(context, &user).await?;
            return Ok(());
        }
        _ => return Err(ApiError::NotFound),
    };
    account::update(context, &user, &changes, LastAdmin::Stays).await?;
    Ok(())
}
