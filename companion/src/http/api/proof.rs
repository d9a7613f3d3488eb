//! Fields of a body or a form that prove that a mail was received: the token of its link, or its code beside the handle of the
//! request.

use crate::domain::token::one_time::{Code, OneTimeToken, Proof};
use crate::http::error::ApiError;
use crate::http::extract::json_body::{FieldErrors, TextField};
use crate::service::Error;

/// Reads a proof. One that nobody has issued is like one that has expired.
pub(in crate::http) fn parse(
    token: TextField,
    request_id: TextField,
    code: TextField,
) -> Result<Proof, ApiError> {
    let invalid = || ApiError::from(Error::LinkInvalid);
    let mut errors = FieldErrors::default();
    match (token, request_id) {
        (TextField::Missing, TextField::Text(handle)) => {
            let code = errors.require("code", code).ok_or_else(|| errors.into_error())?;
            let handle = OneTimeToken::parse(&handle).ok_or_else(invalid)?;
            Ok(Proof::Code { handle, code: Code::parse(&code).ok_or_else(invalid)? })
        }
        (token, _) => {
            let token = errors.require("token", token).ok_or_else(|| errors.into_error())?;
            Ok(Proof::Link(OneTimeToken::parse(&token).ok_or_else(invalid)?))
        }
    }
}
