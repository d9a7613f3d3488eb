//! The device token: it says that its holder has signed in to an account before, and nothing more (OWASP, "Slow Down
//! Online Guessing Attacks with Device Cookies"). `domain::guard` gives such a device a bucket of its own.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::jws::{self, SigningError, Unverified};
use crate::domain::SessionId;
use crate::domain::account::email::Email;

/// Lifetime of a device token. Chosen: people sign in anew at least once a year.
pub const LIFETIME: Duration = Duration::days(365);

/// Header `typ` of a device token. No other token may have it (RFC 8725 §3.11).
const DEVICE_TOKEN_TYP: &str = "dt+jwt";

/// Signs and verifies device tokens.
pub struct DeviceTokens {
    signing: Secret,
    verifying: Vec<Secret>,
}

/// Keys that are derived from one secret, so that no other token of the secret passes for a device token.
struct Secret {
    account: hmac::Key,
    signing: EncodingKey,
    verifying: DecodingKey,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    /// Keyed hash of the e-mail address.
    sub: String,
    /// Session that the device became known by. It distinguishes the devices of an account.
    jti: String,
    iat: i64,
}

impl DeviceTokens {
    /// Takes the secrets, the newest first: that one signs, and all of them verify. `None` if there is no secret.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Option<Self> {
        let verifying: Vec<Secret> = secrets.iter().map(Secret::derive).collect();
        Some(Self { signing: Secret::derive(secrets.first()?), verifying })
    }

    /// Signs the token of a device that has signed in to an account with this session.
    ///
    /// # Errors
    /// [`SigningError`] if the secret does not sign.
    pub fn sign(
        &self,
        email: &Email,
        session: SessionId,
        now: OffsetDateTime,
    ) -> Result<String, SigningError> {
        let claims =
            Claims { sub: self.signing.hash(email), jti: session.to_string(), iat: now.unix_timestamp() };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(DEVICE_TOKEN_TYP.to_owned());
        jws::sign(&header, &claims, |message| jws::hmac(message, &self.signing.signing))
    }

    /// Returns the session that a device became known to an account by. `None` if the token is not ours, is older than
    /// [`LIFETIME`], or belongs to another account: such a device is a stranger.
    #[must_use]
    pub fn verify(&self, token: &str, email: &Email, now: OffsetDateTime) -> Option<SessionId> {
        let token = Unverified::split(token).ok()?;
        let header = token.header().ok()?;
        if header.alg != Algorithm::HS256
            || header.typ.as_deref() != Some(DEVICE_TOKEN_TYP)
            || header.crit.is_some()
        {
            return None;
        }
        let verify = |secret: &Secret| {
            let claims: Claims = token.verify(&header, &secret.verifying).ok()?;
            let is_current = claims.iat > (now - LIFETIME).unix_timestamp();
            (is_current && claims.sub == secret.hash(email)).then(|| claims.jti.parse().ok())?
        };
        self.verifying.iter().find_map(verify)
    }
}

impl Secret {
    fn derive(secret: &SecretString) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let derive = |purpose: &[u8]| hmac::sign(&secret, purpose);
        let signing = derive(b"edgeward device token: signature");
        let account = derive(b"edgeward device token: account");
        Self {
            account: hmac::Key::new(hmac::HMAC_SHA256, account.as_ref()),
            signing: EncodingKey::from_secret(signing.as_ref()),
            verifying: DecodingKey::from_secret(signing.as_ref()),
        }
    }

    fn hash(&self, email: &Email) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.account, email.as_str().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;
    use crate::domain::token::refresh_token::{RefreshClaims, RefreshTokens};

    const NOW: OffsetDateTime = time::macros::datetime!(2030-01-01 00:00 UTC);
    const SESSION: SessionId = SessionId(7);

    fn secret(letter: &str) -> SecretString {
        letter.repeat(32).into()
    }

    fn tokens(letters: &[&str]) -> DeviceTokens {
        DeviceTokens::new(&letters.iter().map(|letter| secret(letter)).collect::<Vec<_>>()).unwrap()
    }

    fn ada() -> Email {
        Email::parse("ada@example.com").unwrap()
    }

    #[test]
    fn device_is_known_to_its_account_for_a_year() {
        let token = tokens(&["a"]).sign(&ada(), SESSION, NOW).unwrap();
        let bob = Email::parse("bob@example.com").unwrap();
        let verify = |email: &Email, age| tokens(&["a"]).verify(&token, email, NOW + age);
        assert_eq!(verify(&ada(), Duration::ZERO), Some(SESSION));
        assert_eq!(verify(&bob, Duration::ZERO), None);
        assert_eq!(verify(&ada(), LIFETIME - Duration::SECOND), Some(SESSION));
        assert_eq!(verify(&ada(), LIFETIME), None);
    }

    #[test]
    fn newest_secret_signs_and_all_of_them_verify() {
        let (former, current) = (tokens(&["a"]), tokens(&["b", "a"]));
        let old = former.sign(&ada(), SESSION, NOW).unwrap();
        assert_eq!(current.verify(&old, &ada(), NOW), Some(SESSION));
        let new = current.sign(&ada(), SESSION, NOW).unwrap();
        assert_eq!(current.verify(&new, &ada(), NOW), Some(SESSION));
        assert_eq!(former.verify(&new, &ada(), NOW), None);
        assert!(DeviceTokens::new(&[]).is_none());
    }

    #[test]
    fn other_tokens_and_changed_ones_are_no_device_tokens() {
        let device = tokens(&["a"]).sign(&ada(), SESSION, NOW).unwrap();
        let refresh = RefreshTokens::new("issuer".to_owned(), LIFETIME, &[secret("a")]).unwrap();
        let claims = RefreshClaims { user_id: UserId(1), session_id: SESSION, generation: 1, issued_at: 0 };
        let (message, _) = device.rsplit_once('.').unwrap();
        let unsigned = Unverified::split(&device).unwrap();
        assert!(refresh.verify(&device).is_err(), "{:?}", unsigned.header());
        for token in [&refresh.sign(claims).unwrap(), "", "a.b.c", message, &format!("{message}.AAAA")] {
            assert_eq!(tokens(&["a"]).verify(token, &ada(), NOW), None, "{token}");
        }
    }
}
