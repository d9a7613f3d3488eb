//! Surroundings of the content of every page: texts, site, user, and the tokens of its forms.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use cookie::{Cookie, SameSite};

use super::site::Site;
use super::text::{self, Text};
use crate::domain::account::User;
use crate::domain::token::form_token::FormKey;
use crate::http::cookies;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::session::SignedIn;

/// Maximum number of form keys that are read. Chosen: more than a browser has.
const MAX_FORM_KEYS: usize = 4;

/// View of a page for one request.
pub(in crate::http) struct View {
    pub(in crate::http) text: &'static Text,
    pub(in crate::http) site: Arc<Site>,
    /// Signed-in user, on the pages that ask for one.
    pub(in crate::http) user: Option<User>,
    /// Token of the forms of this session, or of a browser that is not signed in.
    pub(in crate::http) form_token: String,
    /// Token of the forms that need no session.
    pub(in crate::http) open_form_token: String,
    /// Cookie with the form key, for a browser that has none.
    new_cookie: Option<HeaderValue>,
}

impl FromRequestParts<AppState> for View {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let signed_in = parts.extensions.get::<SignedIn>();
        let site = Arc::clone(&state.site);
        let (key, new_cookie) = match form_keys(&site, &parts.headers).first() {
            Some(key) => (*key, None),
            None => new_key(&site)?,
        };
        Ok(Self {
            text: text::choose(site.language, &parts.headers),
            open_form_token: site.forms.sign(key, None),
            form_token: site.forms.sign(key, signed_in.map(|signed_in| signed_in.subject.session_id)),
            user: signed_in.map(|signed_in| signed_in.user.clone()),
            site,
            new_cookie,
        })
    }
}

impl View {
    /// Makes the view of a page without forms.
    pub(in crate::http) fn anonymous(text: &'static Text, site: Arc<Site>) -> Self {
        Self {
            text,
            site,
            user: None,
            form_token: String::new(),
            open_form_token: String::new(),
            new_cookie: None,
        }
    }

    /// Makes the response with a page. The head is a status, or the response whose body the page replaces.
    ///
    /// # Errors
    /// [`ApiError::Rendering`] if the template fails.
    pub(in crate::http) fn show(
        &self,
        head: impl IntoResponse,
        page: &impl Template,
    ) -> Result<Response, ApiError> {
        let mut response = head.into_response();
        *response.body_mut() = Body::from(page.render().map_err(ApiError::Rendering)?);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        if let Some(cookie) = &self.new_cookie {
            headers.append(SET_COOKIE, cookie.clone());
        }
        Ok(response)
    }
}

/// Reads the form keys of a browser. It has one, unless a sibling host has planted another: that must not keep the visitor
/// from all forms, and tells nobody the token of a form.
pub(super) fn form_keys(site: &Site, headers: &HeaderMap) -> Vec<FormKey> {
    let values = cookies::read_every(headers, &site.form_cookie).take(MAX_FORM_KEYS);
    values.filter_map(FormKey::parse).collect()
}

/// Makes a form key, and the cookie that sets it until the browser is closed. `SameSite=Lax`: a page that another site
/// links to must find the key of the other tabs.
fn new_key(site: &Site) -> Result<(FormKey, Option<HeaderValue>), ApiError> {
    let mut bytes = [0; 16];
    site.random.fill(&mut bytes).map_err(|_| ApiError::NoRandomness)?;
    let key = FormKey::new(bytes);
    let cookie = Cookie::build((site.form_cookie.as_str(), key.to_cookie()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_secure);
    Ok((key, HeaderValue::try_from(cookie.to_string()).ok()))
}
