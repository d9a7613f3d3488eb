//! List of users, with a search.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::account::User;
use crate::domain::account::search::{Search, UserCursor, UserFilter};
use crate::domain::page::PageSize;
use crate::http::error::ApiError;
use crate::http::extract::known_fields::KnownFields;
use crate::http::pages::view::View;
use crate::service::{Context, account};

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage<'a> {
    view: &'a View,
    search: &'a str,
    users: Vec<User>,
    next: Option<String>,
}

pub(in crate::http) async fn list(
    context: Context,
    view: View,
    mut query: KnownFields,
) -> Result<Response, ApiError> {
    let typed = query.typed("search");
    let filter =
        UserFilter { search: query.parse("search", Search::parse).flatten(), ..UserFilter::default() };
    let after = query.parse("cursor", UserCursor::decode).unwrap_or_default();
    query.finish()?;
    let page = account::list(&context, &filter, &after, PageSize::default()).await?;
    let next = page.next.map(|next| next.encode());
    view.show(StatusCode::OK, &UsersPage { view: &view, search: &typed, users: page.items, next })
}
