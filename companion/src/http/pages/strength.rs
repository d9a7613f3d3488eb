//! Strength of a password while it is typed, by the estimate that decides when it is sent.

use axum::Json;
use axum::extract::State;
use secrecy::SecretString;
use serde::Serialize;

use super::form::SentForm;
use super::view::View;
use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::password_policy::OwnWords;
use crate::http::error::ApiError;
use crate::http::state::AppState;
use crate::service::Error;

/// Strength of a password.
#[derive(Serialize)]
pub(in crate::http) struct Strength {
    /// Score of zxcvbn, from 0 to 4.
    score: u8,
    /// The score in a word.
    text: &'static str,
}

/// Estimates the password of a form, whose token is for the browser alone.
pub(in crate::http) async fn estimate(
    State(state): State<AppState>,
    view: View,
    form: SentForm,
) -> Result<Json<Strength>, ApiError> {
    let form = form.verify(view.text).map_err(|_| ApiError::FormForged)?;
    let [first_name, last_name] = ["firstName", "lastName"].map(|field| Name::parse(form.typed(field)).ok());
    let email = Email::parse(form.typed("email")).ok();
    let own = OwnWords::of_parts(first_name.as_ref(), last_name.as_ref(), email.as_ref());
    let score = state.hasher.estimate(SecretString::from(form.typed("password")), own).await;
    let score = score.map_err(Error::from)?;
    let text = view.text.strengths.get(usize::from(score)).copied().unwrap_or_default();
    Ok(Json(Strength { score, text }))
}
