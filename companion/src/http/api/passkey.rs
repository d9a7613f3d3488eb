//! Bodies that several routes of passkeys share: the request to a browser, and the response.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::factor::ticket::Ticket;
use crate::http::error::ApiError;
use crate::http::extract::invalid_text::InvalidCredential;
use crate::http::extract::json_body::{FieldErrors, TextField};
use crate::http::openapi::fields;
use crate::http::pages::form::Form;
use crate::service::factor::{Challenge, PasskeyResponse};

/// Maximum number of bytes of what the library decodes. Chosen: without an attestation they are a tenth of it.
const MAX_BYTES: [(&str, usize); 3] = [
    ("/response/attestationObject", 8192),
    ("/response/authenticatorData", 4096),
    ("/response/clientDataJSON", 4096),
];

/// Request to a browser.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyRequest)]
pub(in crate::http) struct RequestBody {
    /// Message for people.
    message: &'static str,
    /// Token for the response, for ten minutes.
    pub(in crate::http) token: String,
    /// Options in JSON, for `PublicKeyCredential.parseRequestOptionsFromJSON` or `parseCreationOptionsFromJSON`.
    #[schema(value_type = Object)]
    pub(in crate::http) options: Value,
}

/// Response of a passkey.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = PasskeyResponse)]
pub(in crate::http) struct ResponseFields {
    #[schema(required, schema_with = fields::ticket)]
    pub(in crate::http) token: TextField,
    /// Credential of the browser, by its `toJSON`.
    #[schema(required, value_type = Object)]
    pub(in crate::http) credential: Value,
}

impl From<Challenge> for RequestBody {
    fn from(Challenge { ticket, options }: Challenge) -> Self {
        Self { message: "Pass the options to the browser", token: ticket.to_text(), options }
    }
}

impl ResponseFields {
    /// Reads the fields of a form that the script of the pages has filled in; `None` if it has not.
    pub(in crate::http) fn of_form(form: &Form) -> Option<Self> {
        let credential = Some(form.typed("credential")).filter(|credential| !credential.is_empty())?;
        let credential = serde_json::from_str(credential).unwrap_or_default();
        Some(Self { token: form.field("token"), credential })
    }

    pub(in crate::http) fn parse(self) -> Result<PasskeyResponse, ApiError> {
        let mut errors = FieldErrors::default();
        let ticket = errors.parse("token", self.token, Ticket::parse);
        let credential = parse_credential(&mut errors, self.credential);
        match (ticket, credential) {
            (Some(ticket), Some(credential)) => Ok(PasskeyResponse { ticket, credential }),
            _ => Err(errors.into_error()),
        }
    }
}

/// Parses the credential of a browser. `None` if it is not one, or longer than any of a browser; the mistake is collected.
pub(in crate::http) fn parse_credential<T: DeserializeOwned>(
    errors: &mut FieldErrors,
    credential: Value,
) -> Option<T> {
    let short = Some(credential).filter(is_short);
    short
        .and_then(|credential| serde_json::from_value(credential).ok())
        .or_else(|| errors.reject("credential", &InvalidCredential))
}

/// Returns `true` if the parts that the library decodes are texts of a plausible length: it parses them before any signature is
/// verified.
fn is_short(credential: &Value) -> bool {
    MAX_BYTES.iter().all(|(part, max)| match credential.pointer(part) {
        None | Some(Value::Null) => true,
        // Base64 has four characters for three bytes.
        Some(part) => part.as_str().is_some_and(|text| text.len() <= max.div_ceil(3) * 4),
    })
}
