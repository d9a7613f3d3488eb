//! `POST /auth/login`: starts a session.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::SecretString;
use serde::Deserialize;

use super::body;
use crate::domain::account::email::Email;
use crate::domain::session::device::Device;
use crate::hashing::PasswordHasher;
use crate::http::cookies::CookiePolicy;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, JsonBody, TextField};
use crate::service::Context;
use crate::service::Tokens;
use crate::service::session::{self, Credentials};

/// Request body.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct LoginRequest {
    email: TextField,
    password: TextField,
}

pub(in crate::http) async fn login(
    context: Context,
    device: Device,
    State(tokens): State<Arc<Tokens>>,
    State(hasher): State<Arc<PasswordHasher>>,
    State(cookies): State<Arc<CookiePolicy>>,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<Response, ApiError> {
    let credentials = request.parse()?;
    let pair = session::log_in(&context, &hasher, &tokens, &credentials, &device).await?;
    Ok(body::signed_in(&cookies, StatusCode::OK, "User logged in successfully", &pair))
}

impl LoginRequest {
    fn parse(self) -> Result<Credentials, ApiError> {
        let mut errors = FieldErrors::default();
        let email = errors.parse("email", self.email, Email::parse);
        // Not held to the rules for new passwords: an old one may be shorter.
        let password = errors.require("password", self.password).map(SecretString::from);
        match (email, password) {
            (Some(email), Some(password)) => Ok(Credentials { email, password }),
            _ => Err(errors.into_error()),
        }
    }
}
