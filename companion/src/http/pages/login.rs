//! Login page, which also registers: its files, its header fields, and the check of `return_to`.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawQuery, State};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Redirect};
use edgeward_wire::return_to::is_own_page;
use serde::Deserialize;

use crate::http::error::ApiError;
use crate::http::state::HttpPolicy;

/// Path of the page.
pub(in crate::http) const PATH: &str = "/login";

/// Content security policy: only our own files, no frames, no form targets on other sites.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
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
    query: Result<Query<LoginQuery>, QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    // An invalid query does not prevent the login; the front page follows.
    let return_to = query.map(|Query(query)| query.return_to).unwrap_or_default();
    let page = LoginPage { api: &policy.base_path, return_to: own_page(&return_to) };
    let html = page.render().map_err(ApiError::Rendering)?;
    Ok(([(CONTENT_SECURITY_POLICY, CONTENT_POLICY), (REFERRER_POLICY, "no-referrer")], Html(html)))
}

/// Redirects `/login/`, which people type and proxies produce, to the page. Browsers keep the fragment (RFC 9110
/// §10.2.2).
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

/// Returns `return_to` if it is a page of this site other than the login page, and else the front page. The login page
/// would ask the user to sign in again.
#[must_use]
pub fn own_page(return_to: &str) -> &str {
    if is_own_page(return_to) && !is_login_page(return_to) { return_to } else { "/" }
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
