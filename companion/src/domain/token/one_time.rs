//! One-time tokens: the links and codes of mails. A link is 256 random bits, of which the database has the SHA-256 alone. A
//! code is short, so it counts only beside the handle of the browser in which the request was made: 256 bits as well.

use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_lc_rs::rand::SecureRandom;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use time::Duration;

use crate::domain::{FactorId, SessionId};

/// Number of random bytes of a token.
const TOKEN_BYTES: usize = 32;
/// Number of digits of a code. With five tries, a guess is right with a probability of 5 · 10⁻⁸ (NIST SP 800-63B-4 §3.1.3.1
/// asks for six digits).
const CODE_DIGITS: usize = 8;

/// Maximum number of wrong codes beside a handle. Chosen: as many as people mistype.
pub const MAX_CODE_TRIES: i32 = 5;
/// Lifetime of a code (NIST SP 800-63B-4 §3.1.3.2: at most ten minutes).
pub const CODE_LIFETIME: Duration = Duration::minutes(10);
/// Lifetime of a link (OWASP ASVS 5.0, 6.4.1: short). Chosen: mails are late by minutes, and people by an hour.
const LINK_LIFETIME: Duration = Duration::HOUR;
/// Lifetime of a link by which an owner undoes what others did. It lets nobody in. Chosen: a weekend away.
pub const UNDO_LIFETIME: Duration = Duration::hours(72);

/// SHA-256 of a token.
pub type Digest = [u8; 32];

/// Action that a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new password in place of a forgotten one.
    ResetPassword,
    /// Proof that mails to the address arrive.
    VerifyEmail,
    /// Change to the address that the token was sent to.
    ChangeEmail,
    /// Change back to it.
    UndoEmail,
    /// End of all sessions, one of which the owner of the account did not start, or did not change the factors in.
    DisownSignIn,
}

/// Token of a link, or handle of a request. It has no `Debug`, so that no log can show it.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeToken([u8; TOKEN_BYTES]);

/// Code that is typed beside its handle. It has no `Debug` either.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// Proof that a mail was received.
pub enum Proof {
    /// Its link.
    Link(OneTimeToken),
    /// Its code, where the request was made.
    Code {
        /// Handle of the request.
        handle: OneTimeToken,
        /// Code.
        code: Code,
    },
}

/// Session that a mail tells of, with its passkey: "it was not you" takes away what it has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Session; `None` if it is none of the user's, or of nobody's.
    pub session_id: Option<SessionId>,
    /// Passkey that it was begun or last confirmed by; `None` if it was none.
    pub passkey: Option<FactorId>,
}

/// Failure of the system's source of randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("cannot read random bytes from the system")]
pub struct RandomnessError;

impl Purpose {
    /// Every purpose that a page asks to confirm with nothing to fill in.
    pub const CONFIRMED: [Self; 4] =
        [Self::VerifyEmail, Self::ChangeEmail, Self::UndoEmail, Self::DisownSignIn];

    /// Every purpose that changes what a user signs in with and was begun before it: a new password ends it, so that nobody
    /// prepares a way around that. [`Self::UndoEmail`] is the owner's own way back, and stays.
    pub const ENDED_BY_PASSWORD: [Self; 2] = [Self::ResetPassword, Self::ChangeEmail];

    /// Returns the value of `one_time_tokens.purpose`, which is also its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::UndoEmail => "undo_email",
            Self::DisownSignIn => "disown_sign_in",
        }
    }

    /// Finds the purpose of a name, among those that a page confirms.
    #[must_use]
    pub fn parse_confirmed(name: &str) -> Option<Self> {
        Self::CONFIRMED.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// Returns the lifetime of its links.
    #[must_use]
    pub fn lifetime(self) -> Duration {
        match self {
            Self::ResetPassword | Self::VerifyEmail | Self::ChangeEmail => LINK_LIFETIME,
            // A notice of the night is read in the morning.
            Self::UndoEmail | Self::DisownSignIn => UNDO_LIFETIME,
        }
    }

    /// Returns `true` if a code stands beside the link: for what its owner begins in a browser.
    #[must_use]
    pub fn has_code(self) -> bool {
        matches!(self, Self::ResetPassword | Self::VerifyEmail | Self::ChangeEmail)
    }
}

impl OneTimeToken {
    /// Draws a token.
    ///
    /// # Errors
    /// [`RandomnessError`] if the system has no random bytes.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomnessError> {
        let mut bytes = [0; TOKEN_BYTES];
        random.fill(&mut bytes).map_err(|_| RandomnessError)?;
        Ok(Self(bytes))
    }

    /// Parses the text of a token. `None` if it is not one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Returns the text, for a link or a form: 43 characters of the URL-safe alphabet.
    #[must_use]
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Returns its SHA-256.
    #[must_use]
    pub fn hash(&self) -> Digest {
        to_digest(digest(&SHA256, &self.0).as_ref())
    }
}

impl Code {
    /// Draws a code.
    ///
    /// # Errors
    /// [`RandomnessError`] if the system has no random bytes.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomnessError> {
        let mut bytes = [0; 8];
        random.fill(&mut bytes).map_err(|_| RandomnessError)?;
        // 2⁶⁴ is no multiple of 10⁸: some codes are likelier than others by 10⁻¹¹.
        let number = u64::from_be_bytes(bytes) % 10_u64.pow(8);
        Ok(Self(format!("{number:0CODE_DIGITS$}")))
    }

    /// Parses a code as it is typed or pasted. `None` if it does not have eight digits.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: String = typed
            .chars()
            .filter(|char| !char.is_whitespace() && *char != '-')
            .take(CODE_DIGITS + 1)
            .collect();
        let is_code = digits.len() == CODE_DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_code.then_some(Self(digits))
    }

    /// Returns the digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the SHA-256 of a handle and the code beside it.
    #[must_use]
    pub fn hash(&self, handle: &OneTimeToken) -> Digest {
        let mut context = Context::new(&SHA256);
        context.update(&handle.0);
        context.update(self.0.as_bytes());
        to_digest(context.finish().as_ref())
    }
}

fn to_digest(bytes: &[u8]) -> Digest {
    // SHA-256 has as many bytes.
    bytes.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests;
