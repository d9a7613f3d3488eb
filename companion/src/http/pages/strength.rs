//! Strength of a password while it is typed, by the estimate that decides when it is sent.

use axum::Json;
use axum::extract::State;
use secrecy::SecretString;
use serde::Serialize;

use super::form::SentForm;
use super::view::View;
use crate::domain::account::email::Email;
use crate::http::error::ApiError;
use crate::http::state::AppState;

/// Strength of a password.
#[derive(Serialize)]
pub(in crate::http) struct Strength {
    /// Score of zxcvbn, from 0 to 4.
    score: u8,
    /// The score in a word.
    text: &'static str,
}

/// Estimates the password of a form, whose token is for the browser alone. A person has typed it, or a program that the limits
/// of the gateway hold back; the worker that estimates yields to everything else.
pub(in crate::http) async fn estimate(
    State(state): State<AppState>,
    view: View,
    form: SentForm,
) -> Result<Json<Strength>, ApiError> {
    let form = form.verify(view.text).map_err(|_| ApiError::FormForged)?;
    let typed = SecretString::from(form.typed("password"));
    let score = state.hasher.estimate(typed, Email::parse(form.typed("email")).ok()).await;
    let score = score.map_err(crate::service::Error::from)?;
    let text = view.text.strengths.get(usize::from(score)).copied().unwrap_or_default();
    Ok(Json(Strength { score, text }))
}
