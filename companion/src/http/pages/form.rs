//! Forms: the typed values, the mistakes in them, and the proof that our own page sent them.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};

use super::text::Text;
use super::view;
use crate::domain::account::password_policy::PasswordPolicy;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::extract::body::{self, Kind};
use crate::http::extract::json_body::TextField;
use crate::http::state::AppState;
use crate::service::session::SignedIn;

/// Name of the field with the form token.
const TOKEN: &str = "form_token";
/// Header field by which browsers tell where a request comes from (Fetch Metadata Request Headers).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Form as it was sent; an empty one for the first view of a page.
#[derive(Default)]
pub(in crate::http) struct Form {
    typed: BTreeMap<String, String>,
    /// Fields with mistakes, in the order of the page.
    mistakes: Vec<(String, String)>,
    /// Message about the form as a whole.
    pub(in crate::http) notice: Option<String>,
}

/// Form of a request. It is used after [`SentForm::verify`] alone.
pub(in crate::http) struct SentForm {
    form: Form,
    is_ours: bool,
}

impl FromRequest<AppState> for SentForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        if is_of_another_site(request.headers()) {
            return Err(ApiError::FormForged);
        }
        let keys = view::form_keys(&state.site, request.headers());
        let session = request.extensions().get::<SignedIn>().map(|signed_in| signed_in.subject.session_id);
        let bytes = body::read(request, Kind::Form).await?;
        let typed: BTreeMap<String, String> =
            serde_urlencoded::from_bytes(&bytes).map_err(|_| ApiError::BodyNotForm)?;
        let token = typed.get(TOKEN).map(String::as_str).unwrap_or_default();
        let is_ours = keys.into_iter().any(|key| state.site.forms.verify(token, key, session));
        Ok(Self { form: Form { typed, ..Form::default() }, is_ours })
    }
}

impl SentForm {
    /// Returns the form, if our own page sent it to this browser in this session.
    ///
    /// # Errors
    /// The form with a notice, for the page to show it again with a token of now.
    pub(in crate::http) fn verify(self, text: &Text) -> Result<Form, Form> {
        if self.is_ours {
            Ok(self.form)
        } else {
            Err(Form { notice: Some(text.form_expired.to_owned()), ..self.form })
        }
    }
}

impl Form {
    /// Makes a form with these values in its fields.
    pub(in crate::http) fn of(values: &[(&str, &str)]) -> Self {
        let typed = values.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned()));
        Self { typed: typed.collect(), ..Self::default() }
    }

    /// Returns what was typed into a field.
    pub(in crate::http) fn typed(&self, field: &str) -> &str {
        self.typed.get(field).map(String::as_str).unwrap_or_default()
    }

    /// Returns what was typed into a field, for its parser.
    pub(in crate::http) fn field(&self, field: &str) -> TextField {
        self.typed.get(field).map_or(TextField::Missing, |typed| TextField::Text(typed.clone()))
    }

    /// Returns the mistake in a field; empty if there is none.
    pub(in crate::http) fn mistake(&self, field: &str) -> &str {
        let found = self.mistakes.iter().find(|(name, _)| name == field);
        found.map(|(_, mistake)| mistake.as_str()).unwrap_or_default()
    }

    /// Returns `true` if no field has a mistake.
    pub(in crate::http) fn has_no_mistakes(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// Returns `true` if a field is the first that has a mistake.
    pub(in crate::http) fn is_first(&self, field: &str) -> bool {
        self.mistakes.first().is_some_and(|(name, _)| name == field)
    }

    /// Takes the mistakes of an error, in the words of the page. Returns the head of the response: status, `Retry-After`.
    ///
    /// # Errors
    /// The error itself, if it is a failure of the service: that is no mistake of the visitor's.
    pub(in crate::http) fn reject(
        &mut self,
        error: ApiError,
        text: &Text,
        policy: PasswordPolicy,
    ) -> Result<Response, ApiError> {
        if error.is_internal() {
            return Err(error);
        }
        for (field, code) in error.mistakes() {
            self.add_mistake(&field, &text.mistake(code).replace("{min}", &policy.min_chars.to_string()));
        }
        let codes = error.codes();
        let mut head = error.into_response();
        // `frame::surround` would show an error page in place of the form.
        head.extensions_mut().remove::<ErrorCode>();
        self.notice = Some(if self.mistakes.is_empty() {
            let code = codes.first().copied().unwrap_or_default();
            text.error(code).replace("{minutes}", &minutes_to_wait(head.headers()).to_string())
        } else {
            text.some_fields_are_wrong.to_owned()
        });
        Ok(head)
    }

    /// Takes the mistakes of a query as [`Form::reject`] does. One in a parameter that the page has no field for is told as that
    /// of the whole.
    ///
    /// # Errors
    /// As for [`Form::reject`].
    pub(in crate::http) fn reject_query(
        &mut self,
        error: ApiError,
        text: &Text,
        policy: PasswordPolicy,
    ) -> Result<Response, ApiError> {
        let head = self.reject(error, text, policy)?;
        if !self.mistakes.iter().any(|(field, _)| self.typed.contains_key(field)) {
            self.notice = Some(text.error("query_invalid").to_owned());
        }
        Ok(head)
    }

    /// Adds a mistake in a field, unless it has one.
    pub(in crate::http) fn add_mistake(&mut self, field: &str, mistake: &str) {
        if self.mistake(field).is_empty() {
            self.mistakes.push((field.to_owned(), mistake.to_owned()));
        }
    }
}

/// Returns the time after which a request may be sent again, in minutes, rounded up.
pub(super) fn minutes_to_wait(headers: &HeaderMap) -> u64 {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    seconds.unwrap_or_default().div_ceil(60).max(1)
}

/// Returns `true` if the browser says that another site sent the form. Old browsers send no `Sec-Fetch-Site`; then the
/// form token decides alone.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    // `none`: the user has sent the form again, by the reload button.
    site.is_some_and(|site| !matches!(site, b"same-origin" | b"none"))
}
