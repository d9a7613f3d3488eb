//! Documentation page of the API: the OpenAPI document for people, without a script.

mod schema;
mod view;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{Html, IntoResponse};
use serde_json::Value;

use self::view::Section;
use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::http::routes;
use crate::http::state::HttpPolicy;

/// Path of the style sheet, below the base path.
pub(in crate::http) const STYLE_PATH: &str = "/docs/style.css";

/// Content security policy: our style sheet, and nothing else.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Time for which page and style sheet may be stored.
const CACHE: &str = "public, max-age=300";

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'a> {
    base_path: &'a str,
    title: &'a str,
    version: &'a str,
    about: Vec<&'a str>,
    sections: Vec<Section<'a>>,
    schemes: Vec<view::Scheme<'a>>,
}

/// Documentation page
///
/// This document for people. `API_DOCS=off` removes page and document.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "getDocs",
    tag = "Documentation",
    responses((status = 200, description = "The page", content_type = "text/html", body = String)),
)]
pub(in crate::http) async fn show(
    State(policy): State<Arc<HttpPolicy>>,
    State(cookies): State<Arc<CookiePolicy>>,
) -> Result<impl IntoResponse, ApiError> {
    let html = render(routes::shared_document(&policy, &cookies), &policy.base_path)?;
    let headers =
        [(CONTENT_SECURITY_POLICY, CONTENT_POLICY), (REFERRER_POLICY, "no-referrer"), (CACHE_CONTROL, CACHE)];
    Ok((headers, Html(html)))
}

fn render(document: &Value, base_path: &str) -> Result<String, ApiError> {
    let info = |member: &str| view::text(document.pointer("/info").unwrap_or(&Value::Null), member);
    let page = DocsPage {
        base_path,
        title: info("title"),
        version: info("version"),
        about: info("description").split("\n\n").collect(),
        sections: view::sections(document),
        schemes: view::schemes(document),
    };
    page.render().map_err(ApiError::Rendering)
}

pub(in crate::http) async fn style() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, CACHE)];
    (headers, include_str!("../../../pages/docs.css"))
}

#[cfg(test)]
mod tests;
