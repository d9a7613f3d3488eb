//! The form token: it says that a form was sent from our own page, by the browser and in the session that the page was
//! made for (OWASP, "Cross-Site Request Forgery Prevention", signed double-submit cookie). It gives no access.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::SessionId;

/// Number of random bytes of a form key. 128 bits are not guessed.
const KEY_BYTES: usize = 16;

/// Form key: random bytes in a cookie of the browser, which forms of one browser share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormKey([u8; KEY_BYTES]);

/// Signs and verifies form tokens.
pub struct FormTokens {
    /// Keys of the secrets, the newest first: that one signs.
    keys: Vec<hmac::Key>,
}

impl FormKey {
    /// Makes a key of random bytes.
    #[must_use]
    pub fn new(random: [u8; KEY_BYTES]) -> Self {
        Self(random)
    }

    /// Parses the value of the cookie. `None` if it is not one of ours.
    #[must_use]
    pub fn parse(cookie: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(cookie).ok()?.try_into().ok().map(Self)
    }

    /// Returns the value of the cookie.
    #[must_use]
    pub fn to_cookie(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl FormTokens {
    /// Takes the secrets that all companions share, the newest first.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Self {
        let derive = |secret: &SecretString| {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
            let key = hmac::sign(&secret, b"edgeward form token");
            hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())
        };
        Self { keys: secrets.iter().map(derive).collect() }
    }

    /// Returns the token for the forms of a browser in this session; `None` is a browser that is not signed in.
    #[must_use]
    pub fn sign(&self, key: FormKey, session: Option<SessionId>) -> String {
        let signed = self.keys.first().map(|secret| hmac::sign(secret, &message(key, session)));
        signed.map_or_else(String::new, |tag| URL_SAFE_NO_PAD.encode(tag))
    }

    /// Returns `true` if the token of a form is that of this browser and this session.
    #[must_use]
    pub fn verify(&self, token: &str, key: FormKey, session: Option<SessionId>) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(token) else { return false };
        self.keys.iter().any(|secret| hmac::verify(secret, &message(key, session), &tag).is_ok())
    }
}

fn message(FormKey(key): FormKey, session: Option<SessionId>) -> Vec<u8> {
    let session = session.map_or_else(Vec::new, |SessionId(id)| id.to_be_bytes().to_vec());
    [&key[..], &session].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FormKey = FormKey([7; KEY_BYTES]);

    fn tokens(letters: &[&str]) -> FormTokens {
        FormTokens::new(&letters.iter().map(|letter| letter.repeat(32).into()).collect::<Vec<_>>())
    }

    #[test]
    fn token_is_of_one_browser_and_one_session() {
        let (signer, session) = (tokens(&["a"]), Some(SessionId(1)));
        let token = signer.sign(KEY, session);
        assert!(signer.verify(&token, KEY, session));
        assert!(!signer.verify(&token, KEY, None));
        assert!(!signer.verify(&token, KEY, Some(SessionId(2))));
        assert!(!signer.verify(&token, FormKey([8; KEY_BYTES]), session));
        for other in ["", "AAAA", "=", token.get(1..).unwrap(), &format!("{token}A")] {
            assert!(!signer.verify(other, KEY, session), "{other}");
        }
    }

    #[test]
    fn newest_secret_signs_and_all_of_them_verify() {
        let token = tokens(&["a"]).sign(KEY, None);
        assert!(tokens(&["b", "a"]).verify(&token, KEY, None));
        assert!(!tokens(&["a"]).verify(&tokens(&["b", "a"]).sign(KEY, None), KEY, None));
        assert!(!tokens(&[]).verify("", KEY, None));
    }

    #[test]
    fn key_is_read_from_its_cookie_alone() {
        assert_eq!(FormKey::parse(&KEY.to_cookie()), Some(KEY));
        for other in ["", "AAAA", "not base64!", &"A".repeat(1000)] {
            assert_eq!(FormKey::parse(other), None, "{other}");
        }
    }
}
