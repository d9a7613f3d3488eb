//! Layer around every page: its header fields, and errors as pages.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use edgeward_wire::error_code;

use super::site::Site;
use super::text::{self, Text};
use super::view::View;
use crate::http::error::ErrorCode;

/// Content security policy: our own files, and nothing inline.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                              form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Header fields of every page.
const FIELDS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (VARY, "accept-language, cookie"),
];
/// Two years (RFC 6797), for this host alone: others may not have TLS.
const TRANSPORT_POLICY: &str = "max-age=63072000";

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    view: &'a View,
    message: &'static str,
    status: StatusCode,
}

/// Adds the header fields of pages, turns errors into pages, and redirects who is not signed in.
pub(in crate::http) async fn surround(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let text = text::choose(site.language, request.headers());
    let target =
        request.uri().path_and_query().map(ToString::to_string).filter(|_| request.method() == Method::GET);
    let mut response = next.run(request).await;
    if let Some(ErrorCode(code)) = response.extensions_mut().remove() {
        if code == error_code::NOT_SIGNED_IN && site.served.sign_in {
            redirect(&mut response, &site, target.as_deref().unwrap_or("/"));
        } else {
            show_error(&mut response, site.clone(), text, code);
        }
    }
    let headers = response.headers_mut();
    for (name, value) in FIELDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if site.is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT_POLICY));
    }
    response
}

/// Turns an error into a redirect to the page that signs in, and from there back.
fn redirect(response: &mut Response, site: &Site, target: &str) {
    let query =
        serde_urlencoded::to_string([(edgeward_wire::return_to::PARAMETER, target)]).unwrap_or_default();
    let address = HeaderValue::try_from(format!("{}/sign-in?{query}", site.path));
    let mut redirect = Response::new(Body::empty());
    *redirect.status_mut() = StatusCode::SEE_OTHER;
    redirect.headers_mut().extend(address.ok().map(|address| (LOCATION, address)));
    *response = redirect;
}

/// Shows an error to a person: the status and the header fields stay, the body is a page.
fn show_error(response: &mut Response, site: Arc<Site>, text: &'static Text, code: &str) {
    let view = View::anonymous(text, site);
    let page = ErrorPage { view: &view, message: (text.error)(code), status: response.status() };
    let Ok(html) = page.render() else { return };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    *response.body_mut() = Body::from(html);
}
