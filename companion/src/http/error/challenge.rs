//! Challenge of a response 401, which RFC 9110 §15.5.2 requires.

use axum::http::HeaderValue;
use edgeward_wire::authentication::{ACR_VALUES, MAX_AGE, MULTI_FACTOR};
use edgeward_wire::error_code::INSUFFICIENT_USER_AUTHENTICATION;

use super::ApiError;

/// Returns the value of `WWW-Authenticate`; for a user who has to prove anew who they are, with what is demanded (RFC 9470
/// §3).
pub(super) fn of(error: &ApiError) -> HeaderValue {
    let demand = match error {
        ApiError::AuthenticationOutdated { max_age } => {
            let seconds = max_age.whole_seconds();
            format!(" error=\"{INSUFFICIENT_USER_AUTHENTICATION}\", {MAX_AGE}=\"{seconds}\"")
        }
        ApiError::FactorMissing => {
            format!(" error=\"{INSUFFICIENT_USER_AUTHENTICATION}\", {ACR_VALUES}=\"{MULTI_FACTOR}\"")
        }
        _ => String::new(),
    };
    HeaderValue::try_from(format!("Bearer{demand}")).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}
