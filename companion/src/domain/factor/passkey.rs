//! Passkeys (WebAuthn Level 3): requests to browsers, and the verification of their responses.
//!
//! The library draws the challenges itself, and compares the signature counter: one that does not grow is that of a copy.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward_wire::Origin;
use serde_json::{Value, json};
use thiserror::Error;
use webauthn_rs::prelude::{
    DiscoverableKey, Passkey, PublicKeyCredential, RegisterPublicKeyCredential, Url, Webauthn,
    WebauthnBuilder, WebauthnError,
};

use super::user_handle::UserHandle;
use crate::domain::account::User;
use crate::domain::session::authentication::Proof;
use crate::domain::{FactorId, UserId};

/// Flags "user present" and "user verified" of the authenticator data (§6.1).
const PRESENT_AND_VERIFIED: u8 = 0b101;

/// Site that passkeys are made for.
#[derive(Clone)]
pub struct RelyingParty {
    webauthn: Webauthn,
    id: String,
    origins: Vec<String>,
}

/// Way in which a passkey is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// By the user, who asked for it.
    Deliberate,
    /// By the browser itself, after a sign-in with a password that it had stored (§5.1.3, conditional mediation).
    Automatic,
}

/// Request to a browser.
pub struct Ceremony {
    /// Options for the browser, in JSON (§5.1.8, §5.1.9).
    pub options: Value,
    /// State, for the verification of the response.
    pub state: Vec<u8>,
}

/// Passkey of a user.
pub struct StoredPasskey {
    /// Factor ID.
    pub id: FactorId,
    /// User.
    pub user_id: UserId,
    /// Handle that browsers know the user by.
    pub user_handle: UserHandle,
    /// Public key, counter and flags.
    pub passkey: Passkey,
    /// The same, as it was read.
    pub text: String,
}

/// Fault of a response, for the log: the client does not learn it.
#[derive(Debug, Error)]
pub enum InvalidPasskey {
    /// The library rejects the response, or makes no request.
    #[error(transparent)]
    Webauthn(#[from] WebauthnError),
    /// The request or its state is no JSON.
    #[error("the state of the request cannot be read or written: {0}")]
    State(#[from] serde_json::Error),
    /// The handle of the user is missing, or that of another user.
    #[error("the user handle is not that of the passkey's user")]
    UserHandle,
    /// A page of another site asked for it in a frame, which the library accepts of a use.
    #[error("the page was in a frame of another site")]
    CrossOrigin,
    /// The user was not verified.
    #[error("the user was not verified")]
    Unverified,
}

impl RelyingParty {
    /// Makes the relying party with a domain for its ID, whose passkeys are used at these origins. `None` unless one of them has
    /// this domain or one below it for its host; the others are related origins (§5.11).
    #[must_use]
    pub fn new(id: &str, origins: &[Origin]) -> Option<Self> {
        let urls: Vec<Url> =
            origins.iter().map(|origin| Url::parse(origin.as_str()).ok()).collect::<Option<_>>()?;
        let builder = urls.iter().find_map(|url| WebauthnBuilder::new(id, url).ok())?;
        let webauthn = urls.iter().fold(builder, WebauthnBuilder::append_allowed_origin).build().ok()?;
        let origins = origins.iter().map(|origin| origin.as_str().to_owned()).collect();
        Some(Self { webauthn, id: id.to_owned(), origins })
    }

    /// Returns the ID: the domain that passkeys are bound to.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the origins at which passkeys are used.
    #[must_use]
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Begins the creation of a passkey, which must be discoverable: its user then signs in without typing an address. An
    /// authenticator that has one of these passkeys creates no other.
    ///
    /// # Errors
    /// [`InvalidPasskey`] if the library makes no request.
    pub fn begin_creation(
        &self,
        (user, handle): (&User, UserHandle),
        existing: Vec<Vec<u8>>,
        creation: Creation,
    ) -> Result<Ceremony, InvalidPasskey> {
        let (email, name) = (user.email.as_str(), display_name(user));
        let (request, state) =
            self.webauthn.start_passkey_registration(handle.into(), email, &name, Some(existing))?;
        let mut options = serde_json::to_value(request.public_key)?;
        let verification = match creation {
            Creation::Deliberate => "required",
            Creation::Automatic => "preferred",
        };
        if let Some(selection) = options.get_mut("authenticatorSelection").and_then(Value::as_object_mut) {
            selection.insert("residentKey".to_owned(), json!("required"));
            selection.insert("requireResidentKey".to_owned(), json!(true));
            selection.insert("userVerification".to_owned(), json!(verification));
        }
        Ok(Ceremony { options, state: serde_json::to_vec(&state)? })
    }

    /// Verifies a new passkey.
    ///
    /// # Errors
    /// [`InvalidPasskey`] if it is not a response to this state.
    pub fn finish_creation(
        &self,
        mut response: RegisterPublicKeyCredential,
        state: &[u8],
        creation: Creation,
    ) -> Result<Passkey, InvalidPasskey> {
        let state = serde_json::from_slice(state)?;
        if creation == Creation::Automatic {
            self.ignore_absence(&mut response.response.attestation_object);
        }
        Ok(self.webauthn.finish_passkey_registration(&response, &state)?)
    }

    /// Sets the flags of presence and verification, which the library demands: a browser that creates a passkey by itself asks
    /// nobody (§7.1, steps 15 and 16), and every sign-in with it is verified. Without an attestation no signature covers them;
    /// with one, the library rejects the change.
    fn ignore_absence(&self, attestation_object: &mut [u8]) {
        let hash = digest(&SHA256, self.id.as_bytes());
        let at = attestation_object.windows(hash.as_ref().len()).position(|window| window == hash.as_ref());
        // They follow the hash of the ID (§6.1).
        if let Some(flags) = at.and_then(|at| attestation_object.get_mut(at + hash.as_ref().len())) {
            *flags |= PRESENT_AND_VERIFIED;
        }
    }

    /// Begins the use of a passkey: of one of these, or of any if there are none.
    ///
    /// # Errors
    /// [`InvalidPasskey`] if the library makes no request.
    pub fn begin_use(&self, allowed: &[Vec<u8>]) -> Result<Ceremony, InvalidPasskey> {
        let (request, state) = self.webauthn.start_discoverable_authentication()?;
        let mut options = serde_json::to_value(request.public_key)?;
        let allow = |id: &Vec<u8>| json!({"type": "public-key", "id": URL_SAFE_NO_PAD.encode(id)});
        if let Some(options) = options.as_object_mut() {
            options.insert("allowCredentials".to_owned(), allowed.iter().map(allow).collect());
        }
        Ok(Ceremony { options, state: serde_json::to_vec(&state)? })
    }

    /// Verifies the use of a passkey, which includes that of its user (a PIN, a finger). `is_known` is `true` if the user was known
    /// before. Returns the passkey with its new counter and flags, and what it proves.
    ///
    /// # Errors
    /// [`InvalidPasskey`] if it is not a response to this state by this passkey.
    pub fn finish_use(
        &self,
        response: &PublicKeyCredential,
        state: &[u8],
        stored: &StoredPasskey,
        is_known: bool,
    ) -> Result<(Passkey, Proof), InvalidPasskey> {
        // An authenticator may leave the handle out where it was given the passkeys (§6.3.3, step 13; §7.2, step 6).
        let handle = response.get_user_unique_id();
        if !handle.map_or(is_known, |handle| handle == stored.user_handle.as_bytes()) {
            return Err(InvalidPasskey::UserHandle);
        }
        let client_data: Value = serde_json::from_slice(&response.response.client_data_json)?;
        if client_data.get("crossOrigin") == Some(&Value::Bool(true)) {
            return Err(InvalidPasskey::CrossOrigin);
        }
        let (state, key) = (serde_json::from_slice(state)?, DiscoverableKey::from(&stored.passkey));
        let result = self.webauthn.finish_discoverable_authentication_v2(response, state, key)?;
        if !result.user_verified() {
            return Err(InvalidPasskey::Unverified);
        }
        let mut passkey = stored.passkey.clone();
        passkey.update_credential(&result);
        Ok((passkey, Proof::Passkey(stored.id)))
    }
}

/// Returns the name that browsers show beside the address.
#[must_use]
pub fn display_name(user: &User) -> String {
    format!("{} {}", user.first_name.as_str(), user.last_name.as_str())
}

#[cfg(test)]
mod tests;
