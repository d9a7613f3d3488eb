//! The device token: it says that its holder has signed in to some accounts before, and nothing more (OWASP, "Slow Down
//! Online Guessing Attacks with Device Cookies"). `domain::guard` gives such a device a bucket of its own for each account.

use std::cmp::Reverse;
use std::collections::HashSet;

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

/// Maximum number of tokens of a request that are read. A browser sends one; more are planted.
const MAX_TOKENS: usize = 4;
/// Maximum number of accounts that a device is known to. Chosen: a family has as many, and the cookie stays below 1 KiB.
const MAX_ACCOUNTS: usize = 4;

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

/// Accounts that a device has signed in to.
pub struct KnownAccounts(Vec<KnownAccount>);

#[derive(Serialize, Deserialize)]
struct KnownAccount {
    /// Keyed hash of the e-mail address.
    sub: String,
    /// Session that the device became known by. It identifies the device for this account.
    jti: String,
    /// Time of the last login.
    iat: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    accounts: Vec<KnownAccount>,
}

impl DeviceTokens {
    /// Takes the secrets, the newest first: that one signs, and all of them verify. `None` if there is no secret.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Option<Self> {
        let verifying: Vec<Secret> = secrets.iter().map(Secret::derive).collect();
        Some(Self { signing: Secret::derive(secrets.first()?), verifying })
    }

    /// Reads the tokens of a request, the first four. One that is not ours is ignored, and so is an account whose last
    /// login is older than [`LIFETIME`].
    #[must_use]
    pub fn read(&self, tokens: &[String], now: OffsetDateTime) -> KnownAccounts {
        let accounts = tokens.iter().take(MAX_TOKENS).filter_map(|token| self.verify(token)).flatten();
        let oldest = (now - LIFETIME).unix_timestamp();
        KnownAccounts(accounts.filter(|account| account.iat > oldest).collect())
    }

    /// Returns the session that the device became known to an account by. `None` if it is unknown to the account.
    #[must_use]
    pub fn find(&self, accounts: &KnownAccounts, email: &Email) -> Option<SessionId> {
        let names: Vec<String> = self.verifying.iter().map(|secret| secret.hash(email)).collect();
        accounts.0.iter().find(|account| names.contains(&account.sub))?.jti.parse().ok()
    }

    /// Signs the token of a device that has signed in to an account with this session. It keeps its identity for an account that
    /// it is known to, and the token holds the last four accounts.
    ///
    /// # Errors
    /// [`SigningError`] if the secret does not sign.
    pub fn sign(
        &self,
        known: KnownAccounts,
        email: &Email,
        session: SessionId,
        now: OffsetDateTime,
    ) -> Result<String, SigningError> {
        let identity = self.find(&known, email).unwrap_or(session);
        let mut seen: HashSet<String> = self.verifying.iter().map(|secret| secret.hash(email)).collect();
        let sub = self.signing.hash(email);
        let mut accounts = vec![KnownAccount { sub, jti: identity.to_string(), iat: now.unix_timestamp() }];
        let mut others = known.0;
        others.sort_by_key(|account| Reverse(account.iat));
        // Several tokens of a request may have the same account.
        accounts.extend(others.into_iter().filter(|account| seen.insert(account.sub.clone())));
        accounts.truncate(MAX_ACCOUNTS);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(DEVICE_TOKEN_TYP.to_owned());
        jws::sign(&header, &Claims { accounts }, |message| jws::hmac(message, &self.signing.signing))
    }

    fn verify(&self, token: &str) -> Option<Vec<KnownAccount>> {
        let token = Unverified::split(token).ok()?;
        let header = token.header().ok()?;
        if header.alg != Algorithm::HS256
            || header.typ.as_deref() != Some(DEVICE_TOKEN_TYP)
            || header.crit.is_some()
        {
            return None;
        }
        let verify = |secret: &Secret| token.verify(&header, &secret.verifying).ok();
        self.verifying.iter().find_map(verify).map(|claims: Claims| claims.accounts)
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
    const ADA: &str = "ada@example.com";
    const BOB: &str = "bob@example.com";

    fn secret(letter: &str) -> SecretString {
        letter.repeat(32).into()
    }

    fn tokens(letters: &[&str]) -> DeviceTokens {
        DeviceTokens::new(&letters.iter().map(|letter| secret(letter)).collect::<Vec<_>>()).unwrap()
    }

    /// Signs the token of a device that had this one before.
    fn sign(tokens: &DeviceTokens, before: &str, email: &str, session: i64, now: OffsetDateTime) -> String {
        let known = tokens.read(&[before.to_owned()], now);
        tokens.sign(known, &Email::parse(email).unwrap(), SessionId(session), now).unwrap()
    }

    /// Finds the session that the holder of a token became known to an account by.
    fn find(tokens: &DeviceTokens, token: &str, email: &str, now: OffsetDateTime) -> Option<i64> {
        let known = tokens.read(&[token.to_owned()], now);
        tokens.find(&known, &Email::parse(email).unwrap()).map(|SessionId(session)| session)
    }

    #[test]
    fn device_is_known_to_its_account_for_a_year() {
        let tokens = tokens(&["a"]);
        let token = sign(&tokens, "", ADA, 7, NOW);
        assert_eq!(find(&tokens, &token, ADA, NOW), Some(7));
        assert_eq!(find(&tokens, &token, BOB, NOW), None);
        assert_eq!(find(&tokens, &token, ADA, NOW + LIFETIME - Duration::SECOND), Some(7));
        assert_eq!(find(&tokens, &token, ADA, NOW + LIFETIME), None);
    }

    #[test]
    fn device_keeps_its_identity_for_each_of_its_last_accounts() {
        let tokens = tokens(&["a"]);
        let mut token = sign(&tokens, "", ADA, 7, NOW);
        let later = NOW + Duration::days(300);
        token = sign(&tokens, &token, BOB, 8, later);
        token = sign(&tokens, &token, ADA, 9, later + Duration::SECOND);
        let check = |token: &str, accounts: &[(&str, Option<i64>)]| {
            for (email, expected) in accounts {
                assert_eq!(find(&tokens, token, email, later + Duration::days(100)), *expected, "{email}");
            }
        };
        check(&token, &[(ADA, Some(7)), (BOB, Some(8))]);
        for (number, email) in ["c@example.com", "d@example.com", "e@example.com"].iter().enumerate() {
            let now = later + Duration::minutes(1 + i64::try_from(number).unwrap());
            token = sign(&tokens, &token, email, 10, now);
        }
        check(
            &token,
            &[("e@example.com", Some(10)), ("c@example.com", Some(10)), (ADA, Some(7)), (BOB, None)],
        );
        assert!(token.len() < 1024, "{}", token.len());
    }

    #[test]
    fn one_token_of_several_is_enough_and_planted_ones_are_few() {
        let tokens = tokens(&["a"]);
        let (ada, bob) = (sign(&tokens, "", ADA, 7, NOW), sign(&tokens, "", BOB, 8, NOW));
        let email = Email::parse(ADA).unwrap();
        let find = |all: &[&String]| {
            let all: Vec<String> = all.iter().map(|token| (*token).clone()).collect();
            tokens.find(&tokens.read(&all, NOW), &email)
        };
        assert_eq!(find(&[&bob, &String::new(), &ada]), Some(SessionId(7)));
        assert_eq!(find(&[&bob, &bob, &bob, &bob, &ada]), None);
    }

    #[test]
    fn newest_secret_signs_and_all_of_them_verify() {
        let (former, current) = (tokens(&["a"]), tokens(&["b", "a"]));
        let old = sign(&former, &sign(&former, "", ADA, 7, NOW), BOB, 8, NOW);
        assert_eq!(find(&current, &old, ADA, NOW), Some(7));
        let new = sign(&current, &old, BOB, 9, NOW);
        assert_eq!((find(&current, &new, ADA, NOW), find(&current, &new, BOB, NOW)), (Some(7), Some(8)));
        assert_eq!(find(&former, &new, ADA, NOW), None);
        assert!(DeviceTokens::new(&[]).is_none());
    }

    #[test]
    fn other_tokens_and_changed_ones_are_no_device_tokens() {
        let tokens = tokens(&["a"]);
        let device = sign(&tokens, "", ADA, 7, NOW);
        let refresh = RefreshTokens::new("issuer".to_owned(), LIFETIME, &[secret("a")]).unwrap();
        let claims =
            RefreshClaims { user_id: UserId(1), session_id: SessionId(7), generation: 1, issued_at: 0 };
        let (message, _) = device.rsplit_once('.').unwrap();
        let unsigned = Unverified::split(&device).unwrap();
        assert!(refresh.verify(&device).is_err(), "{:?}", unsigned.header());
        for token in [&refresh.sign(claims).unwrap(), "", "a.b.c", message, &format!("{message}.AAAA")] {
            assert_eq!(find(&tokens, token, ADA, NOW), None, "{token}");
        }
    }
}
