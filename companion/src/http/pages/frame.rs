//! Layer around every page: its header fields, and errors as pages.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edgeward_wire::error_code::{INSUFFICIENT_USER_AUTHENTICATION, NOT_SIGNED_IN};

use super::form::minutes_to_wait;
use super::return_to;
use super::site::Site;
use super::text::{self, Text};
use super::view::View;
use crate::http::error::ErrorCode;

/// Header fields of every page.
const FIELDS: [(HeaderName, &str); 3] = [
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
/// Two years (RFC 6797), for this host alone: others may not have TLS.
const TRANSPORT_POLICY: &str = "max-age=63072000";

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    view: &'a View,
    message: String,
    status: StatusCode,
}

/// Adds the header fields of pages, turns errors into pages, and redirects who is not signed in, or has to prove anew who they
/// are.
pub(in crate::http) async fn surround(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let text = text::choose(site.language, request.headers());
    let path = request.uri().path().to_owned();
    // The response to a form is no page to come back to.
    let target = match request.uri().path_and_query() {
        Some(target) if request.method() == Method::GET => target.to_string(),
        _ => site.home(),
    };
    let is_form = request.method() != Method::GET;
    let mut response = next.run(request).await;
    if let Some(ErrorCode(code)) = response.extensions_mut().remove() {
        if code == NOT_SIGNED_IN && site.served.sign_in {
            let target = return_to::beyond_confirmation(&site, target);
            response = return_to::sign_in(&site, &target, false).into_response();
        } else if code == INSUFFICIENT_USER_AUTHENTICATION {
            // A form has the address of its page, or one that leads there.
            response = return_to::confirm(&site, if is_form { &path } else { &target }).into_response();
        } else {
            response = show_error(response, Arc::clone(&site), text, code);
        }
    }
    let headers = response.headers_mut();
    for (name, value) in FIELDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert_with(|| site.content_policy.clone());
    // Files say how long they are stored, and are the same for everybody.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(VARY, HeaderValue::from_static("accept-language, cookie"));
    }
    if site.is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT_POLICY));
    }
    response
}

/// Shows an error to a person: the status and the header fields stay, the body is a page.
fn show_error(response: Response, site: Arc<Site>, text: &'static Text, code: &str) -> Response {
    let view = View::anonymous(text, site);
    let message = text.error(code).replace("{minutes}", &minutes_to_wait(response.headers()).to_string());
    let page = ErrorPage { view: &view, message, status: response.status() };
    view.show(response, &page).unwrap_or_else(IntoResponse::into_response)
}
