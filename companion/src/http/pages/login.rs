//! The page where a person signs in or registers: its files, its headers, and where it may lead to.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, RawQuery, State};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Redirect};
use serde::Deserialize;

use crate::http::error::ApiError;
use crate::http::state::HttpPolicy;

/// The longest way back.
const MAX_RETURN_BYTES: usize = 2048;

/// The page's path.
pub(in crate::http) const PATH: &str = "/login";

/// Nothing but our own files, and nobody may frame the page or take its form elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    api: &'a str,
    return_to: &'a str,
}

/// Query of the page.
#[derive(Deserialize)]
pub(in crate::http) struct LoginQuery {
    #[serde(default)]
    return_to: String,
}

pub(in crate::http) async fn login(
    State(policy): State<Arc<HttpPolicy>>,
    query: Result<Query<LoginQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    // A query that cannot be read leads nowhere, but the page is still a page.
    let return_to = query.map(|Query(query)| query.return_to).unwrap_or_default();
    let page = LoginPage { api: &policy.base_path, return_to: own_page(&return_to) };
    let html = page.render().map_err(ApiError::Rendering)?;
    Ok(([(CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "no-referrer")], Html(html)))
}

/// People type a slash, and proxies add one. A browser keeps the fragment by itself.
pub(in crate::http) async fn login_with_slash(RawQuery(query): RawQuery) -> Redirect {
    Redirect::permanent(&query.map_or_else(|| PATH.to_owned(), |query| format!("{PATH}?{query}")))
}

pub(in crate::http) async fn login_script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("../../../pages/login.js"))
}

pub(in crate::http) async fn login_style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("../../../pages/login.css"))
}

fn asset(kind: &'static str, content: &'static str) -> ([(HeaderName, &'static str); 2], &'static str) {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=300")], content)
}

/// The way back, if it is a page of our own; else the front page. A browser takes `//evil`, `/\evil` and
/// `/<tab>/evil` for another host (CVE-2025-27143). Back to the login page is nowhere: it would ask once more.
#[must_use]
pub fn own_page(return_to: &str) -> &str {
    let is_own = return_to.starts_with('/')
        && !return_to.starts_with("//")
        && !return_to.chars().any(|char| char.is_control() || char == '\\')
        && return_to.len() <= MAX_RETURN_BYTES
        && !is_login_page(return_to);
    if is_own { return_to } else { "/" }
}

fn is_login_page(target: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/') == PATH
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn only_pages_of_our_own_are_returned_to() {
        let longest = format!("/{}", "a".repeat(2047));
        for own in [
            "/",
            "/orders?page=2&sort=a#top",
            "/a//b",
            "/@evil.example",
            "/login.js",
            "/loginx",
            "/login/x",
            "/a?b=/login",
            &longest,
        ] {
            assert_eq!(own_page(own), own);
        }
        let too_long = format!("{longest}a");
        for foreign in [
            "",
            "orders",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            " /orders",
            "/\t/evil.example",
            "/\n/evil.example",
            "/a\\b",
            "/\u{85}",
            "/login",
            "/login/",
            "/login?return_to=%2Forders",
            "/login#/orders",
            "/login/?register",
            &too_long,
        ] {
            assert_eq!(own_page(foreign), "/", "{foreign:?}");
        }
    }
}
