//! List of users, with a search.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::account::User;
use crate::domain::account::search::{Search, UserCursor, UserFilter};
use crate::domain::page::PageSize;
use crate::hashing::PasswordHasher;
use crate::http::error::ApiError;
use crate::http::extract::known_fields::KnownFields;
use crate::http::pages::form::Form;
use crate::http::pages::view::View;
use crate::service::{Context, account};

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage<'a> {
    view: &'a View,
    form: &'a Form,
    users: Vec<User>,
    next: Option<String>,
}

pub(in crate::http) async fn list(
    context: Context,
    State(hasher): State<Arc<PasswordHasher>>,
    view: View,
    mut query: KnownFields,
) -> Result<Response, ApiError> {
    // A form sends its empty fields, too.
    query.drop_empty();
    let mut form = Form::of(&[("search", &query.typed("search"))]);
    let filter =
        UserFilter { search: query.parse("search", Search::parse).flatten(), ..UserFilter::default() };
    let after = query.parse("cursor", UserCursor::decode).unwrap_or_default();
    if let Err(mistakes) = query.finish() {
        let head = form.reject_query(mistakes, view.text, hasher.policy)?;
        return view.show(head, &UsersPage { view: &view, form: &form, users: Vec::new(), next: None });
    }
    let page = account::list(&context, &filter, &after, PageSize::default()).await?;
    let next = page.next.map(|next| next.encode());
    view.show(StatusCode::OK, &UsersPage { view: &view, form: &form, users: page.items, next })
}
